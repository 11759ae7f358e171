"""The files of pages: the router's own under `/pages/`, and those of the front ends that `workbench.sites` names.

`app` mounts them where GraphiQL, the console or a site is served; nothing of a page comes from elsewhere.
"""

from __future__ import annotations

import asyncio
import gzip
from hashlib import sha256
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from router.content_coding import encode
from router.server.response import HttpAnswer, coding_of
from router.settings import SettingsError
from router.workbench import Site

FOLDER = Path(__file__).parent / "pages"
MODULES = FOLDER / "modules"  # ours, served as they stand in the repository
BUILT = FOLDER / "assets"  # of `npm run build` beside this, each with .gz behind its name
PATH = "/pages"
INDEX = "index.html"

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain",
}
IN_ONE_PIECE_BELOW = 1_024  # bytes; shorter files are not worth a coding

# Monaco sets styles on elements and keeps its fonts in the style sheet; nothing needs a script of the page's own.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{styles}
{preloads}
</head>
<body {data}>
<div id="page"><p class="loading">Loading…</p></div>
<script type="module" src="{path}/{script}"></script>
</body>
</html>
"""


def page_answer(
    title: str, script: str, styles: tuple[str, ...], preloads: tuple[str, ...] = (), **data: str
) -> HttpAnswer:
    """A page of one module; `data` are its `data-` attributes."""
    html = PAGE.format(
        title=escape(title),
        script=script,
        path=PATH,
        styles="\n".join(f'<link rel="stylesheet" href="{PATH}/{each}">' for each in styles),
        preloads="\n".join(f'<link rel="modulepreload" href="{PATH}/{each}">' for each in preloads),
        data=" ".join(f'data-{name}="{escape(value)}"' for name, value in data.items()),
    )
    headers = {"cache-control": "no-cache", **SECURITY_HEADERS}
    return HttpAnswer(
        200,
        html.encode(),
        b"text/html; charset=utf-8",
        tuple((name.encode(), value.encode()) for name, value in headers.items()),
    )


def site_routes(site: Site) -> list[Route]:
    """Of a front end, whose files name each other relative to its path. Raises SettingsError where none is built."""
    if not (site.folder / INDEX).is_file():
        raise SettingsError(f"'workbench.sites': {site.folder} holds no {INDEX}")
    files = PageFiles(site.folder)

    async def with_slash(_: Request) -> Response:
        return RedirectResponse(f"{site.path}/")

    return [
        Route(site.path, with_slash),
        Route(f"{site.path}/", files.index),
        Route(f"{site.path}/{{name}}", files.file),
    ]


class PageFiles:
    """Each file is read when it is asked for; one that changes on disk has a new version. `folders`: the first that has a
    name counts.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._encoded: dict[tuple[str, str, str], bytes] = {}  # by name, version and coding

    async def file(self, request: Request) -> Response:
        """One file in the coding that the client prefers; 304 where it has this version."""
        return await self._answer(request, request.path_params["name"])

    async def index(self, request: Request) -> Response:
        """As `file`, of a site's first page."""
        return await self._answer(request, INDEX)

    async def _answer(self, request: Request, name: str) -> Response:
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        found = self._stored(name) if content_type is not None else None
        if found is None:
            return Response(status_code=404)
        stored = found.read_bytes()
        version = sha256(stored).hexdigest()[:16]
        headers = {
            # a chunk's name changes with what is in it, other names stay
            "cache-control": "public, max-age=31536000, immutable" if name.startswith("chunk-") else "no-cache",
            "etag": f'"{version}"',
            "vary": "accept-encoding",
            **SECURITY_HEADERS,
        }
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        coding = coding_of(request.headers.get("accept-encoding", ""))
        if coding is not None and (len(stored) >= IN_ONE_PIECE_BELOW or found.suffix == ".gz"):
            headers["content-encoding"] = coding
            body = await self._in_coding(name, version, coding, stored, is_gzip=found.suffix == ".gz")
        else:
            body = gzip.decompress(stored) if found.suffix == ".gz" else stored
        return Response(body, headers=headers, media_type=content_type)

    def _stored(self, name: str) -> Path | None:
        """The file behind a name; None for what is none of ours."""
        if "/" in name or "\\" in name or name.startswith("."):
            return None
        for folder in self._folders:
            for candidate in (folder / name, folder / f"{name}.gz"):
                if candidate.is_file():
                    return candidate
        return None

    async def _in_coding(self, name: str, version: str, coding: str, stored: bytes, *, is_gzip: bool) -> bytes:
        """Encoded once for each version, in a thread: the largest file takes tens of milliseconds."""
        if coding == "gzip" and is_gzip:
            return stored
        known = self._encoded.get((name, version, coding))
        if known is None:
            known = await asyncio.to_thread(_encoded, stored, coding, is_gzip)
            for old in [key for key in self._encoded if key[0] == name and key[1] != version]:
                del self._encoded[old]
            self._encoded[name, version, coding] = known
        return known


def _encoded(stored: bytes, coding: str, is_gzip: bool) -> bytes:
    return encode(gzip.decompress(stored) if is_gzip else stored, coding)
