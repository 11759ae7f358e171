"""Registrations that wait for their mail, where CONFIRM_REGISTRATION holds: nobody learns which addresses have an account.

An account is made once its mail was read, and only with the password that was chosen: whoever registers somebody else's
address cannot have the other confirm it.
"""

from dataclasses import asdict, dataclass

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.context import Resources
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.idempotency import key_columns
from subgraphs.users.commands.account import NewAccount, add_account, check_account
from subgraphs.users.commands.attempts import REGISTRATIONS_FROM_ADDRESS, count_attempt, counted_address
from subgraphs.users.commands.consent import check_consents_of_registration
from subgraphs.users.commands.mail import queue_mail, take_token, token_hash, unusable
from subgraphs.users.commands.password import hash_password, verify_password
from subgraphs.users.commands.session import SignIn, check_device, open_session
from subgraphs.users.domain.account import LONGEST_PASSWORD, PersonalSettings, Profile, email_key
from subgraphs.users.domain.consent import ConsentChoice
from subgraphs.users.domain.mail import MailKind

_ADD = text(
    "INSERT INTO registration"
    " (id, email_key, password_hash, details, created_at, idempotency_key, idempotency_content)"
    " VALUES (:id, :email_key, :password_hash, :details, :now, :idempotency_key, :idempotency_content) ON CONFLICT DO NOTHING RETURNING id"
)
_BY_KEY = text("SELECT idempotency_content FROM registration WHERE idempotency_key = :key")
_OF_TOKEN = text(
    "SELECT r.password_hash, r.details, r.created_at FROM registration AS r JOIN mailed_token AS t ON t.registration_id = r.id"
    " WHERE t.token_hash = :hash AND t.expires_at > :now"
)
_DONE = text("DELETE FROM registration WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Details:
    """What is kept of a registration beside its password's hash."""

    email: str
    display_name: str
    profile: Profile
    settings: PersonalSettings
    consents: tuple[ConsentChoice, ...] = ()


async def request_registration(new: NewAccount, *, resources: Resources, address: str | None = None) -> None:
    """Keep a registration until its mail is read. The same work, whether or not the address has an account.

    Raises ValidationError, RateLimitedError for too many of one e-mail or network `address`, and ConflictError for an idempotency key that was used otherwise.
    """
    now = resources.now()
    check_account(new, now)
    check_consents_of_registration(new.consents, resources.settings)
    if (counted := counted_address(address)) is not None:
        await count_attempt(resources.redis, f"register {counted}", REGISTRATIONS_FROM_ADDRESS)
    await count_attempt(resources.redis, f"register {email_key(new.email)}")
    password_hash = await hash_password(new.password)
    details = _Details(
        email=new.email.strip(),
        display_name=new.display_name,
        profile=new.profile,
        settings=new.settings,
        consents=new.consents,
    )
    registration_id = new_id()
    row = {
        "id": registration_id,
        "email_key": email_key(new.email),
        "password_hash": password_hash,
        "details": msgspec.json.encode(asdict(details)).decode(),
        "now": now,
        **key_columns(new.request),
    }
    async with resources.database.transaction() as transaction:
        if (await transaction.execute(_ADD, row)).one_or_none() is None:
            await _refuse_other_content(transaction, new)
            return
        await queue_mail(
            transaction, MailKind.CONFIRM_REGISTRATION, details.email, now, registration_id=registration_id
        )


async def _refuse_other_content(transaction: AsyncConnection, new: NewAccount) -> None:
    if new.request is not None:
        new.request.refuse_other_content(await transaction.scalar(_BY_KEY, {"key": new.request.key}))


async def confirm_registration(token: str, password: str, *, device: str | None, resources: Resources) -> SignIn:
    """Make the account and sign in. Raises ValidationError for a token that does not hold or another password.

    After ten wrong passwords, RateLimitedError.
    """
    now = resources.now()
    check_device(device)
    async with resources.database.transaction() as transaction:
        kept = (await transaction.execute(_OF_TOKEN, {"hash": token_hash(token), "now": now})).one_or_none()
    if kept is None:
        raise unusable()
    await count_attempt(resources.redis, f"confirm {token_hash(token).hex()}")
    if not await verify_password(kept.password_hash, password[: LONGEST_PASSWORD + 1]):
        raise ValidationError(("password", "is not the one that was chosen at registration"))
    details = msgspec.json.decode(kept.details, type=_Details)
    new = NewAccount(
        email=details.email,
        password=password,
        display_name=details.display_name,
        profile=details.profile,
        settings=details.settings,
        email_verified_at=now,
        consents=details.consents,
        consented_at=kept.created_at,
    )
    async with resources.database.transaction() as transaction:
        proof = await take_token(transaction, token, now, MailKind.CONFIRM_REGISTRATION)
        account = await add_account(transaction, new, kept.password_hash, now)
        if account is None:  # the address got an account meanwhile
            raise unusable()
        await transaction.execute(_DONE, {"id": proof.registration_id})
        return await open_session(transaction, account, resources, device)
