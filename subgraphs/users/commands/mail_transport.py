"""How a mail leaves: over SMTP, or as a file in a folder, for development. Used by `mail_delivery`."""

import asyncio
import os
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from events.envelope import new_id
from subgraphs.shell.settings import Settings
from subgraphs.users.domain.account import ascii_address
from subgraphs.users.domain.mail import Letter

SMTP_SECONDS = 20
MOST_SPOOLED = 500
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class UnwritableMailError(Exception):
    """What there is to send makes no mail, whenever it is tried."""


#: Sends one mail. Raises OSError (as smtplib's errors are) for one that did not leave, and UnwritableMailError.
Transport: TypeAlias = Callable[[Letter], Awaitable[None]]


def transport_of(settings: Settings) -> Transport | None:
    """None where neither a server nor a folder is named."""
    if settings.smtp_url is not None:
        send: Callable[[EmailMessage], None] = partial(_send_by_smtp, settings.smtp_url)
    elif settings.mail_spool is not None:
        send = partial(_spool, Path(settings.mail_spool))
    else:
        return None

    async def transport(letter: Letter) -> None:
        await asyncio.to_thread(send, _message(letter, settings.mail_from))

    return transport


def _message(letter: Letter, sender: str) -> EmailMessage:
    """Raises UnwritableMailError."""
    message = EmailMessage()
    message["From"] = sender
    try:
        message["To"] = ascii_address(letter.recipient)
    except ValueError as failure:
        raise UnwritableMailError("its recipient cannot be written") from failure
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="fittracker.example")
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
    message.set_content(letter.body)
    return message


def _send_by_smtp(url: str, message: EmailMessage) -> None:
    server = urlsplit(url)
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    context = ssl.create_default_context()
    connection = (
        smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=context)
        if server.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
    )
    with connection:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=context)
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)


def _spool(folder: Path, message: EmailMessage) -> None:
    """Whole or not at all, for its owner alone; the newest 500 stay."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{new_id()}.eml"  # sorts by time
    unfinished = folder / f".{name}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    unfinished.rename(folder / name)
    for old in sorted(folder.glob("*.eml"))[:-MOST_SPOOLED]:
        old.unlink(missing_ok=True)
