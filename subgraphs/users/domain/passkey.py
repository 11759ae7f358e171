"""Passkeys: what a browser is asked for, and whether what it answers proves anything. Pure.

WebAuthn level 3 (W3C), by the library fido2: section 7.1 for a new passkey, 7.2 for a sign-in. What the library leaves to its
caller is checked here: the algorithm, frames of other sites, and the counter of signatures.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

MOST_PASSKEYS = 20
LONGEST_PASSKEY_NAME = 100
#: How long a browser may take to answer: WebAuthn recommends five minutes where somebody has to prove who they are.
CHALLENGE_LIFE = timedelta(minutes=5)
CHALLENGE_BYTES = 32
#: A sign-in of that age needs no password to add or remove a passkey.
FRESH_SIGN_IN = timedelta(minutes=10)
#: COSE's numbers of Ed25519, ECDSA over P-256 and RSA: together they are what every authenticator of today has.
ALGORITHMS = (-8, -7, -257)
LONGEST_CREDENTIAL_ID = 1023  # WebAuthn, 4: a credential id is at most so many bytes
_NAME = "FitTracker Pro"
_OF_THIS_MACHINE = re.compile(r"http://localhost(:\d{1,5})?")
_SHALLOWEST_TOO_DEEP = 64  # no credential nests its JSON or CBOR as deep


class NotProvenError(ValueError):
    """What came is no passkey's answer to this challenge at this site; the message says why, for tests and logs."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whose passkeys these are: a domain, and the origins of the pages that may ask for them.

    Without origins these are the pages of http://localhost at any port: a machine that somebody develops on.
    """

    id: str
    origins: Collection[str]

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may ask."""
        if self.origins:
            return origin in self.origins
        return _OF_THIS_MACHINE.fullmatch(origin) is not None


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What is kept of a new passkey. `credential` is the attested credential data of WebAuthn 6.5.1, with the public key."""

    credential_id: bytes
    credential: bytes
    sign_count: int
    is_synced: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a browser shows to sign in, not verified yet: `user_handle` says whose passkey it claims to be."""

    credential_id: bytes
    user_handle: bytes | None
    response: AuthenticationResponse


def creation_options(
    party: RelyingParty, challenge: bytes, *, user_id: str, email: str, display_name: str, known: Sequence[bytes]
) -> str:
    """PublicKeyCredentialCreationOptionsJSON. Browsers refuse an authenticator that has one of the `known` credential ids."""
    options, _ = _server(party).register_begin(
        PublicKeyCredentialUserEntity(id=user_id.encode(), name=email, display_name=display_name),
        credentials=[PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=each) for each in known],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return _as_json(options)


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """PublicKeyCredentialRequestOptionsJSON: the same for everybody, so that it tells nothing of anybody."""
    options, _ = _server(party).authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
    )
    return _as_json(options)


def read_new_passkey(party: RelyingParty, challenge: bytes, credential: str) -> NewPasskey:
    """The passkey that a RegistrationResponseJSON brings. Raises NotProvenError."""
    try:
        response = RegistrationResponse.from_dict(_parsed(credential))
        _check_frame(response.response.client_data)
        data = _server(party).register_complete(_state(party, challenge), response)
    except Exception as error:  # the library reads bytes of strangers, and raises what comes along
        raise NotProvenError(f"{type(error).__name__}: {error}") from None
    made = data.credential_data
    if made is None or made.credential_id != response.raw_id:
        raise NotProvenError("The authenticator's data is of another credential.")
    if made.public_key.get(3) not in ALGORITHMS:
        raise NotProvenError("The key is of an algorithm that was not asked for.")
    if not 1 <= len(made.credential_id) <= LONGEST_CREDENTIAL_ID:
        raise NotProvenError("The credential id has an impossible length.")
    if data.is_backed_up() and not data.is_backup_eligible():
        raise NotProvenError("The credential is backed up and cannot be.")
    return NewPasskey(bytes(made.credential_id), bytes(made), data.counter, data.is_backed_up())


def read_assertion(credential: str) -> Assertion:
    """What an AuthenticationResponseJSON claims. Raises NotProvenError for what is none."""
    try:
        response = AuthenticationResponse.from_dict(_parsed(credential))
        return Assertion(response.raw_id, response.response.user_handle, response)
    except Exception as error:  # as in `read_new_passkey`
        raise NotProvenError(f"{type(error).__name__}: {error}") from None


def verify_assertion(
    party: RelyingParty, challenge: bytes, assertion: Assertion, credential: bytes
) -> tuple[int, bool]:
    """Whether the passkey of these kept bytes has answered the challenge; returns its counter, and whether it is synced.

    Raises NotProvenError.
    """
    data: AuthenticatorData = assertion.response.response.authenticator_data
    try:
        _check_frame(assertion.response.response.client_data)
        _server(party).authenticate_complete(
            _state(party, challenge), [AttestedCredentialData(credential)], assertion.response
        )
    except Exception as error:  # as in `read_new_passkey`
        raise NotProvenError(f"{type(error).__name__}: {error}") from None
    return data.counter, data.is_backed_up()


def is_copied(kept: int, shown: int) -> bool:
    """Whether the counter says that there are two of what should be one: it has to grow, unless it was never more than 0.

    WebAuthn 6.1.1. Passkeys that are synced between devices show 0 always.
    """
    return (kept, shown) != (0, 0) and shown <= kept


def _server(party: RelyingParty) -> Fido2Server:
    server = Fido2Server(PublicKeyCredentialRpEntity(name=_NAME, id=party.id), verify_origin=party.allows)
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=number) for number in ALGORITHMS
    ]
    server.timeout = int(CHALLENGE_LIFE / timedelta(milliseconds=1))  # type: ignore[assignment] # the library's None has no type
    return server


def _state(party: RelyingParty, challenge: bytes) -> Any:
    """What the library hands out when a ceremony begins, and wants back at its end."""
    required = UserVerificationRequirement.REQUIRED
    return _server(party).authenticate_begin(user_verification=required, challenge=challenge)[1]


def _check_frame(client_data: CollectedClientData) -> None:
    """A page of ours inside another site's frame could be made to sign in unseen."""
    if client_data.cross_origin:
        raise NotProvenError("The page was in a frame of another site.")


def _parsed(credential: str) -> dict[str, Any]:
    if credential.count("[") + credential.count("{") > _SHALLOWEST_TOO_DEEP:
        raise NotProvenError("The JSON nests deeper than any credential's.")
    parsed = json.loads(credential)
    if not isinstance(parsed, dict):
        raise NotProvenError("The JSON is no object.")
    return parsed


def _as_json(options: Any) -> str:
    return json.dumps(dict(options)["publicKey"], separators=(",", ":"))
