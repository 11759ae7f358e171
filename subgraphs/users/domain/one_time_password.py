"""One-time passwords of an authenticator app: RFC 6238 over RFC 4226, with SHA-1, six digits and steps of 30 seconds.

What every app supports, and so the only parameters.
"""

import base64
import hmac
from urllib.parse import quote

SECRET_BYTES = 20  # as long as SHA-1's output, which RFC 4226 asks for
STEP_SECONDS = 30
DIGITS = 6
#: Clocks differ, and people type: a code of the step before and of the one after is taken too.
STEPS_EITHER_WAY = 1


def code_at(secret: bytes, step: int) -> str:
    """The code of a step, which is the time since 1970 over 30 seconds."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, seconds: float, last_step: int | None) -> int | None:
    """The step whose code it is, at a time in seconds since 1970; None for a wrong code, or one that was used."""
    now = int(seconds // STEP_SECONDS)
    for step in range(now - STEPS_EITHER_WAY, now + STEPS_EITHER_WAY + 1):
        is_new = last_step is None or step > last_step
        if is_new and hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def shown_secret(secret: bytes) -> str:
    """As people type it into an app."""
    return base64.b32encode(secret).decode()


def enrolment_uri(secret: bytes, issuer: str, account: str) -> str:
    """What an app reads from a QR code."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?secret={shown_secret(secret)}&issuer={quote(issuer, safe='')}"
