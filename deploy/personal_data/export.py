"""`fittracker export`: fetches everything about the person who signs in, page by page, into a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from deploy.errors import FriendlyError
from deploy.personal_data.folder import ExportFolder
from deploy.personal_data.graph_client import Credentials, GraphClient, GraphError, graph_client
from deploy.personal_data.listings import ACCOUNT, LISTINGS, Listing
from deploy.personal_data.spreadsheets import write_spreadsheets
from deploy.terminal import Terminal

_BEGIN = """mutation ExportBegin($input: BeginExportInput!) {
  beginExport(input: $input) { userErrors { message } }
}"""


async def export(
    to: Path, url: str, *, credentials: Credentials | None, token: str | None, terminal: Terminal
) -> ExportFolder:
    """One page is in memory at a time. A run that was cut off goes on, in the same folder, after its last whole page.

    What the person changes meanwhile may be in the export or not; nothing else is lost or twice. Raises FriendlyError.
    """
    folder = ExportFolder(to)
    is_continued = folder.person_id is not None
    async with graph_client(url, credentials=credentials, token=token) as client:
        await _claim(folder, client)
        await _tell(client, is_continued)
        for listing in LISTINGS:
            records = await _fetch(folder, listing, client)
            write_spreadsheets(folder, listing)
            terminal.say(f"{listing.name:18} {records:>9,}")
    folder.finish(url, datetime.now(UTC).isoformat(timespec="seconds"))
    return folder


async def _claim(folder: ExportFolder, client: GraphClient) -> None:
    """Makes sure that a folder has one person's things only."""
    try:
        page = ACCOUNT.read(await client.ask(ACCOUNT.operation, ACCOUNT.variables(None)))
    except GraphError as error:
        if error.code != "UNAUTHENTICATED":
            raise
        raise FriendlyError(str(error), "give a token that holds, or sign in with --email") from None
    folder.claim(page.records[0]["id"])


async def _tell(client: GraphClient, is_continued: bool) -> None:
    """A line of the server's security log. One of an earlier release has no such mutation, and is read all the same.

    Raises FriendlyError where the server will not have it.
    """
    try:
        data = await client.ask(_BEGIN, {"input": {"isContinued": is_continued}})
    except GraphError as error:
        if error.code != "GRAPHQL_VALIDATION_FAILED":
            raise
        return
    refusals = (data["beginExport"] or {}).get("userErrors", ())
    if refusals:
        raise FriendlyError(f"the server refused the export: {'; '.join(each['message'] for each in refusals)}")


async def _fetch(folder: ExportFolder, listing: Listing, client: GraphClient) -> int:
    """How many records the listing's file has when all pages are in it."""
    place = folder.place(listing.name)
    while not place.is_whole:
        page = listing.read(await client.ask(listing.operation, listing.variables(place.cursor)))
        place = folder.append(listing.name, page.records, page.cursor)
    return place.records
