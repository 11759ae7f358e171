"""A mail server of the kind that tests need: takes every mail, or refuses everything for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class SmtpServer:
    """What came, in order. While `is_busy` it says 421, as a server does that is overloaded."""

    port: int = 0
    is_busy: bool = False
    mails: list[EmailMessage] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, by the letter of RFC 5321 as far as a client of ours goes."""
        writer.write(b"421 too busy\r\n" if self.is_busy else b"220 here\r\n")
        while not self.is_busy and (line := await reader.readline()):
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(message_from_bytes(body[:-5], policy=policy.default))  # type: ignore[arg-type]
            if verb == b"QUIT":
                break
            writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def smtp_server() -> AsyncIterator[SmtpServer]:
    """Listens on a free port of this machine while the block runs."""
    server = SmtpServer()
    listener = await asyncio.start_server(server.converse, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server
