"""GraphiQL from our own files: the page at the GraphQL path, and its scripts under `/graphiql/`.

`graphql_http` asks for the page, `app` mounts the files. They are built by `npm run build` in `graphiql/` beside this.
"""

from __future__ import annotations

import gzip
from hashlib import sha256
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from router.server.response import HttpAnswer, accepts_gzip

ASSETS = Path(__file__).parent / "graphiql" / "assets"
CONTENT_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain"}

# Monaco sets styles on elements and keeps its fonts in the style sheet; nothing needs a script of the page's own.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/page.css?{version}">
</head>
<body data-readiness="{readiness}">
<div id="graphiql">Loading…</div>
<script src="{base}/page.js?{version}"></script>
</body>
</html>
"""


class GraphiqlPage:
    """The HTML, with addresses that change when the scripts do."""

    def __init__(self, assets_path: str = "/graphiql", readiness_path: str = "/ready") -> None:
        self._version = sha256((ASSETS / "page.js.gz").read_bytes()).hexdigest()[:12]
        html = PAGE.format(base=escape(assets_path), version=self._version, readiness=escape(readiness_path))
        self._answer = HttpAnswer(
            200,
            html.encode(),
            b"text/html; charset=utf-8",
            (
                (b"cache-control", b"no-cache"),
                (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
                (b"referrer-policy", b"same-origin"),
                (b"x-content-type-options", b"nosniff"),
            ),
        )

    def answer(self) -> HttpAnswer:
        return self._answer

    async def asset(self, request: Request) -> Response:
        """One built file: as it is to clients that take gzip, unpacked for the others."""
        name: str = request.path_params["name"]
        stored = ASSETS / f"{name}.gz"
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        if "/" in name or content_type is None or not (stored.is_file() or name == "NOTICES.txt"):
            return Response(status_code=404)
        headers = {
            "cache-control": "public, max-age=31536000, immutable"
            if request.url.query == self._version
            else "public, max-age=300",
            "etag": f'"{self._version}"',
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        if not stored.is_file():
            return Response((ASSETS / name).read_bytes(), headers=headers, media_type=content_type)
        body = stored.read_bytes()
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        return Response(body, headers=headers, media_type=content_type)
