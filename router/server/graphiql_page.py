"""GraphiQL's page at the GraphQL path, and what the product has for it: people to sign in as, samples, links.

`graphql_http` asks for the page; `app` mounts `workbench`, which the page asks for, beside its files.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from router.server.page_files import page_answer
from router.server.response import HttpAnswer, json_answer
from router.settings import Settings, SettingsError
from router.workbench import Sample, read_samples

READINESS_PATH = "/ready"


class GraphiqlPage:
    """Raises SettingsError for a folder of samples that cannot be read."""

    def __init__(self, settings: Settings) -> None:
        workbench = settings.workbench
        self._answer = page_answer(
            workbench.title,
            "graphiql_page.js",
            ("graphiql.css", "theme.css", "graphiql_page.css"),
            ("react.js", "graphiql.js"),
            readiness=READINESS_PATH,
        )
        self._about = json_answer(200, _about(settings))

    def answer(self) -> HttpAnswer:
        return self._answer

    async def workbench(self, _: Request) -> Response:
        return Response(self._about.body, headers={"cache-control": "no-store"}, media_type="application/json")


def _about(settings: Settings) -> dict[str, Any]:
    workbench = settings.workbench
    about = workbench.model_dump(mode="json", exclude={"samples", "sign_in", "sites"})
    about["samples"] = [asdict(each) for each in _samples(settings)]
    about["signIn"] = (
        workbench.sign_in.model_dump(mode="json") if workbench.sign_in is not None and settings.dev else None
    )
    about["plans"] = settings.dev
    about["console"] = settings.serves_console
    return about


def _samples(settings: Settings) -> list[Sample]:
    folder = settings.workbench.samples
    if folder is None:
        return []
    try:
        return read_samples(folder)
    except (OSError, ValueError) as error:
        raise SettingsError(f"'workbench.samples': {error}") from error
