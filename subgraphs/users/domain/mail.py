"""What mails say, and for how long the tokens in them hold."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is sent for. Those of TOKEN_LIFE carry a token; the others only tell."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    CHANGE_EMAIL = "CHANGE_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a kind of mail
    CONFIRM_REGISTRATION = "CONFIRM_REGISTRATION"
    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a kind of mail
    EMAIL_CHANGED = "EMAIL_CHANGED"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    GRANT_INVITATION = "GRANT_INVITATION"
    API_KEY_CREATED = "API_KEY_CREATED"
    PASSKEY_ADDED = "PASSKEY_ADDED"
    HEALTH_DATA_WITHDRAWN = "HEALTH_DATA_WITHDRAWN"
    NOTIFICATION = "NOTIFICATION"


TOKEN_LIFE = {
    MailKind.VERIFY_EMAIL: timedelta(days=1),
    MailKind.CHANGE_EMAIL: timedelta(hours=1),
    MailKind.RESET_PASSWORD: timedelta(minutes=30),
    MailKind.CONFIRM_REGISTRATION: timedelta(days=1),
}
#: So many mails with a token of one kind go to one address in an hour; whoever asks for more is told the same.
MOST_TOKENS_AN_HOUR = 5

_PATHS = {
    MailKind.VERIFY_EMAIL: "verify-email",
    MailKind.CHANGE_EMAIL: "verify-email",
    MailKind.RESET_PASSWORD: "reset-password",
    MailKind.CONFIRM_REGISTRATION: "confirm-registration",
}
_UNWANTED = "If it was not you, leave this mail alone: nothing changes without the token."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to one address."""

    recipient: str
    subject: str
    body: str
    unsubscribe: str | None = None  # the page where such mails are ended


def letter(kind: MailKind, recipient: str, token: str | None = None, link: str | None = None) -> Letter:
    """The mail of this kind. `token` is what its recipient proves the address with, `link` the page that takes tokens."""
    subject, text = _TEXTS[kind]
    purpose = MailKind.RESET_PASSWORD if kind is MailKind.ALREADY_REGISTERED else kind
    parts = [text]
    if token is not None:
        parts.append(_use_of(token, purpose, link))
    if kind in TOKEN_LIFE:
        parts.append(_UNWANTED)
    return Letter(recipient, subject, "\n\n".join(parts) + "\n")


def letter_of_notification(recipient: str, title: str, body: str | None, token: str, link: str | None) -> Letter:
    """The mail of a notification. `token` ends mails of its kind; `link` is the page that takes tokens."""
    page = None if link is None else f"{link.rstrip('/')}/unsubscribe#token={token}"
    end = (
        "To get no more of these mails:"
        if page
        else "The token that ends these mails, so that you get no more of these:"
    )
    parts = [f"{title}." if body is None else f"{title}.\n\n{body}", f"{end}\n\n{page or token}"]
    return Letter(recipient, title, "\n\n".join(parts) + "\n", page)


def _use_of(token: str, purpose: MailKind, link: str | None) -> str:
    """Behind a #, the token reaches neither a server's log nor a `Referer`."""
    life = TOKEN_LIFE[purpose]
    hours = life / timedelta(hours=1)
    holds = f"{hours:g} hours" if hours > 1 else f"{life / timedelta(minutes=1):g} minutes"
    if link is None:
        return f"The token, good once, for {holds}:\n\n{token}"
    return f"Good once, for {holds}:\n\n{link.rstrip('/')}/{_PATHS[purpose]}#token={token}"


_TEXTS = {
    MailKind.VERIFY_EMAIL: (
        "Is this your e-mail address?",
        "An account of FitTracker Pro has this address. Please prove that it is yours.",
    ),
    MailKind.CHANGE_EMAIL: (
        "Is this your new e-mail address?",
        "Somebody signed in to FitTracker Pro wants to use this address from now on.",
    ),
    MailKind.RESET_PASSWORD: (
        "A new password for FitTracker Pro",
        (
            "Somebody, hopefully you, forgot the password of your account. With this you choose another;"
            " all sign-ins end with it."
        ),
    ),
    MailKind.CONFIRM_REGISTRATION: (
        "Welcome to FitTracker Pro",
        "Somebody, hopefully you, registered with this address. Confirm it, with the password that you chose.",
    ),
    MailKind.ALREADY_REGISTERED: (
        "You have an account of FitTracker Pro",
        (
            "Somebody, hopefully you, registered with this address, which has an account already. Sign in with it."
            " If you forgot the password, you can choose another."
        ),
    ),
    MailKind.PASSWORD_CHANGED: (
        "Your password was changed",
        (
            "The password of your account of FitTracker Pro was changed just now, and all other sign-ins and all API keys ended;"
            " where it was forgotten and replaced by mail, the passkeys too. If it was not you, have a new password sent to you at once."
        ),
    ),
    MailKind.ACCOUNT_ERASED: (
        "Your account is gone",
        "Your account of FitTracker Pro was erased just now, with everything in it. This is the last mail to this address.",
    ),
    MailKind.GRANT_INVITATION: (
        "You are invited to read somebody's training or diary",
        (
            "Somebody who uses FitTracker Pro wants to let you read something of theirs. Sign in with an account of this"
            " address, prove the address there, and accept it among your invitations within a week. If you do not want to,"
            " leave this mail alone."
        ),
    ),
    MailKind.API_KEY_CREATED: (
        "An API key of your account was made",
        (
            "Somebody who is signed in to your account of FitTracker Pro, hopefully you, made an API key just now: with it a"
            " program can read or write what the key was made for. If it was not you, change your password at once: all keys"
            " and all sign-ins end with it."
        ),
    ),
    MailKind.PASSKEY_ADDED: (
        "A passkey was added to your account",
        (
            "Somebody who is signed in to your account of FitTracker Pro, hopefully you, added a passkey just now: with it they"
            " sign in without the password. If it was not you, have a new password sent to you at once: all passkeys, API"
            " keys and sign-ins end with it."
        ),
    ),
    MailKind.HEALTH_DATA_WITHDRAWN: (
        "Your account will be erased in 14 days",
        (
            "Somebody who is signed in to your account of FitTracker Pro, hopefully you, withdrew the consent to process your"
            " health data just now. Nothing new is kept from now on, and in 14 days the account is erased with everything in it."
            " Until then you can sign in, export everything, or agree again. If it was not you, agree again and change your"
            " password."
        ),
    ),
    MailKind.EMAIL_CHANGED: (
        "Your e-mail address was changed",
        (
            "Your account of FitTracker Pro has another address from now on, and no mail comes to this one any more."
            " If it was not you, write to us at once."
        ),
    ),
}
