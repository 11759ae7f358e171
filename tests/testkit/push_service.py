"""A push service on this machine, and browsers that decrypt what they get. Used by tests of web push."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from events.envelope import new_id
from subgraphs.users.domain.web_push import decoded, encoded, new_message_key, public_key_of
from tests.testkit.servers import free_port


@dataclass(frozen=True)
class Browser:
    """One end of RFC 8291: what it gives with its subscription, and how it reads what comes."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_message_key)
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    name: str = field(default_factory=new_id)

    @property
    def p256dh(self) -> str:
        return public_key_of(self.key)

    @property
    def secret(self) -> str:
        return encoded(self.auth)

    def decrypted(self, body: bytes) -> bytes:
        """The message in a body of aes128gcm. Raises InvalidTag for one of another browser."""
        salt, (size, length) = body[:16], struct.unpack("!IB", body[16:21])
        point, ciphertext = body[21 : 21 + length], body[21 + length :]
        assert len(ciphertext) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
        info = b"WebPush: info\0" + decoded(self.p256dh) + point
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        padded = AESGCM(key).decrypt(nonce, ciphertext, None)
        message, end, padding = padded.rpartition(b"\x02")
        assert end
        assert not padding.strip(b"\0")
        return message


@dataclass
class PushService:
    """What it was posted, as path, headers and body; it answers with `status` and `headers`."""

    port: int
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def take(self, request: web.Request) -> web.Response:
        self.posted.append((request.path, dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService(free_port())
    application = web.Application()
    application.router.add_post("/{browser}", service.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", service.port).start()
    try:
        yield service
    finally:
        await runner.cleanup()
