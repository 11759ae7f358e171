"""The router's own certificate: loaded into one TLS context, and again whenever its files change, without a restart.

`draining` runs it for whatever server has a certificate. New handshakes get the new certificate; open connections stay.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509
from watchfiles import awatch

log = structlog.get_logger(__name__)

RETRY_SECONDS = 10.0
CHECK_SECONDS = 3600.0  # also without a change: a lost event of the file system must not end in an expired certificate


class CertificateError(Exception):
    """The files are no certificate with its key; the message says why, and shows neither."""


class ServedCertificate:
    """`context` is the live one, as uvicorn made it. `tell` gets the certificate's file name and when it ends."""

    def __init__(
        self,
        context: ssl.SSLContext,
        certificate: Path,
        key: Path,
        tell: Callable[[str, datetime], None] = lambda _, __: None,
    ) -> None:
        self._context = context
        self._certificate = certificate
        self._key = key
        self._tell = tell
        self._seen = self._texts()
        self.expires = self._note(self._seen[0])

    async def follow(self) -> None:
        """Until cancelled. Files that do not fit together change nothing. They and whatever else hinders it are told in the log, and
        it goes on: a certificate that nobody looks at any more ends one day.
        """
        while True:
            try:
                await self._take_over()  # it may have changed while nobody looked
                await self._take_over_changes()
            except Exception as error:
                log.error("certificate_not_followed", file=str(self._certificate), reason=repr(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def _take_over_changes(self) -> None:
        changes = awatch(
            *{self._certificate.parent, self._key.parent},
            debounce=300,
            step=100,
            recursive=False,
            rust_timeout=int(CHECK_SECONDS * 1000),
            yield_on_timeout=True,
        )
        async for _ in changes:
            await self._take_over()

    async def _take_over(self) -> None:
        try:
            now = await asyncio.to_thread(self._texts)
            if now == self._seen:
                return
            await asyncio.to_thread(self._reload)
            self._seen = now
        except (CertificateError, OSError) as error:
            log.error("certificate_not_loaded", file=str(self._certificate), reason=str(error))
        else:
            log.info("certificate_loaded", file=str(self._certificate), expires=self.expires.isoformat())

    def _reload(self) -> None:
        check_certificate(self._certificate, self._key)
        self._context.load_cert_chain(self._certificate, self._key)
        self.expires = self._note(self._certificate.read_bytes())

    def _texts(self) -> tuple[bytes, bytes]:
        return self._certificate.read_bytes(), self._key.read_bytes()

    def _note(self, pem: bytes) -> datetime:
        expires = x509.load_pem_x509_certificate(pem).not_valid_after_utc
        self._tell(self._certificate.name, expires)
        return expires


def check_certificate(certificate: Path, key: Path) -> None:
    """Raises CertificateError unless the two can be served together."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ssl.SSLError, OSError, ValueError) as error:
        raise CertificateError(f"{certificate} and {key} cannot be served together: {error}") from None
