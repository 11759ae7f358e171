"""Web push: which subscriptions of browsers are believed, and how a message is encrypted for one. Pure.

RFC 8291 (encryption of messages), RFC 8188 (their coding, aes128gcm), RFC 8292 (VAPID: how a sender shows who it is).
"""

import base64
import binascii
import struct
from contextlib import suppress
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from subgraphs.shell.errors import Checks
from subgraphs.shell.public_address import Reach, may_be_sent_to

MOST_SUBSCRIPTIONS = 20
LONGEST_ENDPOINT = 1_000
_CURVE = ec.SECP256R1()
_AUTH_BYTES, _SCALAR_BYTES = 16, 32
_RECORD_SIZE = 4096  # of one record; a push service has to take so much (RFC 8030), which no words of ours come near


@dataclass(frozen=True, slots=True)
class BrowserKeys:
    """What a browser gives with its subscription: a point of P-256, and a secret that is mixed in."""

    p256dh: bytes
    auth: bytes


def encrypted(message: bytes, keys: BrowserKeys, *, salt: bytes, sender: ec.EllipticCurvePrivateKey) -> bytes:
    """The body of a push message. `salt` are 16 random bytes and `sender` a key, both made for this message alone."""
    sender_point = _point_of(sender)
    shared = sender.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, keys.p256dh))
    secret = _derived(shared, 32, keys.auth, b"WebPush: info\0" + keys.p256dh + sender_point)
    content_key = _derived(secret, 16, salt, b"Content-Encoding: aes128gcm\0")
    nonce = _derived(secret, 12, salt, b"Content-Encoding: nonce\0")
    header = salt + struct.pack("!IB", _RECORD_SIZE, len(sender_point)) + sender_point
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)  # \2: the last record


def _derived(secret: bytes, length: int, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def new_message_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVE)


def private_key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """The key of which `text` is the number, as 32 bytes in base64url. Raises ValueError."""
    number = decoded(text)
    if len(number) != _SCALAR_BYTES:
        raise ValueError("it must be 32 bytes in base64url")
    return ec.derive_private_key(int.from_bytes(number, "big"), _CURVE)


def public_key_of(key: ec.EllipticCurvePrivateKey) -> str:
    """As browsers take it for `applicationServerKey`, and push services in the header `Authorization`."""
    return encoded(_point_of(key))


def _point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Base64url, with or without padding. Raises ValueError for what is none."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("it must be base64url") from error


def read_keys(checks: Checks, p256dh: str, auth: str) -> BrowserKeys | None:
    """A browser's keys; None, with what is wrong among the checks, for what is none."""
    point = secret = b""
    try:
        point = decoded(p256dh)
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        is_point = len(point) == 1 + 2 * _SCALAR_BYTES  # the uncompressed form, which the secret is derived with
    except ValueError:
        is_point = False
    with suppress(ValueError):
        secret = decoded(auth)
    checks.require(is_point, "p256dh", "must be a point of P-256, uncompressed, in base64url")
    checks.require(len(secret) == _AUTH_BYTES, "auth", f"must be {_AUTH_BYTES} bytes in base64url")
    return BrowserKeys(point, secret) if is_point and len(secret) == _AUTH_BYTES else None


def check_endpoint(checks: Checks, endpoint: str, trusted: frozenset[str]) -> None:
    """Https to a host with a name, or with an address of the internet. `trusted` are origins that are taken as they are."""
    checks.require(len(endpoint) <= LONGEST_ENDPOINT, "endpoint", f"may have up to {LONGEST_ENDPOINT} characters")
    is_usable = may_be_sent_to(endpoint, Reach(trusted=trusted))
    checks.require(is_usable, "endpoint", "must be an https address of a public host")
