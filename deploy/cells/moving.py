"""`fittracker move`: a person leaves one cell for another, by an export, an import, two comparisons, and an erasure.

All of it as the person, through the routers of the two cells. Whatever stops it, the same command goes on: the export where it was, the
import without making anything twice; and nothing is erased before all that can be imported is there and nothing has changed.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import FriendlyError
from deploy.personal_data.arrivals import EXERCISES, FOODS, OTHERS
from deploy.personal_data.export import export
from deploy.personal_data.folder import MANIFEST, read_records
from deploy.personal_data.graph_client import Credentials, GraphError, graph_client
from deploy.personal_data.import_folder import import_folder
from deploy.terminal import Terminal

#: The files of an export that an import makes things of.
COMPARED = tuple(dict.fromkeys(each.file for each in (EXERCISES, FOODS, *OTHERS)))
_REGISTER = """mutation MoveRegister($input: RegisterInput!) { register(input: $input) {
  user { id } userErrors { message } } }"""
_ERASE = (
    """mutation MoveErase($input: DeleteAccountInput!) { deleteAccount(input: $input) { userErrors { message } } }"""
)


@dataclass(frozen=True, slots=True)
class Moved:
    """Whose things are where now; `refused` says why something is not, and `is_erased` whether the first account is gone."""

    former_id: str
    new_id: str
    refused: tuple[str, ...]
    is_erased: bool


async def move(
    folder: Path,
    credentials: Credentials,
    *,
    leaving: str,
    arriving: str,
    erase: bool,
    despite_refusals: bool,
    terminal: Terminal,
) -> Moved:
    """From the graph at `leaving` to the one at `arriving`, where the account is made with the same address and password.

    Raises FriendlyError where something did not arrive, or changed meanwhile: then nothing is erased.
    """
    left = folder / "left"
    if not (left / MANIFEST).exists():
        terminal.say("What there is:")
        await export(left, leaving, credentials=credentials, token=None, terminal=terminal)
    await _make_account(arriving, credentials, left)
    terminal.say("What arrives:")
    report = await import_folder(left, arriving, credentials=credentials, token=None, terminal=terminal)
    refused = tuple(report.refused)
    quiet = _Quiet()
    arrived = _emptied(folder / "arrived")
    await export(arrived, arriving, credentials=credentials, token=None, terminal=quiet)
    if missing := list(_missing(left, arrived, refused)):
        raise FriendlyError(f"not all of it arrived: {', '.join(missing)}", "nothing is erased; run the command again")
    former, new = _person_of(left), _person_of(arrived)
    if not erase or (refused and not despite_refusals):
        return Moved(former, new, refused, is_erased=False)
    now = _emptied(folder / "now")
    await export(now, leaving, credentials=credentials, token=None, terminal=quiet)
    if changed := [name for name in COMPARED if _text(left, name) != _text(now, name)]:
        raise FriendlyError(
            f"{', '.join(changed)} changed while it moved; nothing is erased", "move again, into another folder"
        )
    await _erase(leaving, credentials)
    return Moved(former, new, refused, is_erased=True)


class _Quiet(Terminal):
    """Of exports that are only compared."""

    def say(self, text: str = "") -> None:
        del text


async def _make_account(url: str, credentials: Credentials, left: Path) -> None:
    """Unless there is one with this address and password."""
    try:
        async with graph_client(url, credentials=credentials, token=None):
            return
    except GraphError as error:
        if error.reason != "BAD_CREDENTIALS":
            raise
    (account,) = read_records(left / "account.jsonl")
    given = {
        "email": credentials.email,
        "password": credentials.password,
        "displayName": account["displayName"],
        "timeZone": account["settings"]["timeZone"],
    }
    async with graph_client(url, credentials=None, token=None) as client:
        made = (await client.ask(_REGISTER, {"input": given}))["register"]
    if made["userErrors"]:
        raise FriendlyError("; ".join(each["message"] for each in made["userErrors"]))
    if made["user"] is None:
        raise FriendlyError(f"a mail went to {credentials.email}", "follow its link, and run the command again")


async def _erase(url: str, credentials: Credentials) -> None:
    """And see that nobody can sign in with it any more."""
    async with graph_client(url, credentials=credentials, token=None) as client:
        told = (await client.ask(_ERASE, {"input": {"currentPassword": credentials.password}}))["deleteAccount"]
    if told["userErrors"]:
        raise FriendlyError("; ".join(each["message"] for each in told["userErrors"]))
    try:
        async with graph_client(url, credentials=credentials, token=None):
            raise FriendlyError("the account that was erased can still be signed in to", "erase it by `deleteAccount`")
    except GraphError as error:
        if error.reason != "BAD_CREDENTIALS":
            raise


def _missing(left: Path, arrived: Path, refused: tuple[str, ...]) -> Iterator[str]:
    """The files of which less is there than was to arrive, with how much less."""
    not_taken = Counter(each.partition(" ")[0] for each in refused)
    for name in COMPARED:
        wanted = len(_text(left, name).splitlines()) - not_taken[name]
        found = len(_text(arrived, name).splitlines())
        if found < wanted:
            yield f"{name} ({wanted - found} of {wanted})"


def _text(folder: Path, name: str) -> bytes:
    return (folder / f"{name}.jsonl").read_bytes()


def _person_of(folder: Path) -> str:
    return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["personId"])


def _emptied(folder: Path) -> Path:
    """A folder of ours, without what an earlier run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder
