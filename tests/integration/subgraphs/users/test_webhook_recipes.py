"""The recipes of `deploy/docs/webhooks.md` verify what is really sent, and nothing that was changed, is old or of somebody else."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from subgraphs.users.commands.webhook_delivery import WebhookSender
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import subgraph_under_test
from tests.testkit.tools import tool
from tests.testkit.webhook_receiver import Received, webhook_receiver

PAGE = Path(__file__).parents[4] / "deploy" / "docs" / "webhooks.md"
CREATE = """mutation ($url: String!) { createWebhookEndpoint(input: { url: $url, name: "x", kinds: [WEIGHT_CHANGED] }) {
  webhookEndpoint { id } secret } }"""
ROTATE = "mutation ($id: ID!) { rotateWebhookSecret(input: { id: $id }) { secret } }"
TEST = "mutation ($id: ID!) { sendTestWebhook(input: { id: $id }) { webhookDelivery { id } } }"
Verify = Callable[[str, Mapping[str, str], bytes], bool]


def recipe(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


def in_python(_: Path) -> Verify:
    names: dict[str, Any] = {}
    exec(recipe("python"), names)
    verify: Verify = names["verify"]
    return verify


def in_javascript(folder: Path) -> Verify:
    """By Node itself, which is handed secret, headers and body as JSON."""
    (folder / "verify.mjs").write_text(recipe("js"), encoding="utf-8")
    (folder / "main.mjs").write_text(
        'import { verify } from "./verify.mjs"; import { readFileSync } from "node:fs";'
        'const given = JSON.parse(readFileSync(0, "utf8"));'
        'process.stdout.write(String(verify(given.secret, given.headers, Buffer.from(given.body, "latin1"))));',
        encoding="utf-8",
    )

    def verify(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        given = json.dumps({"secret": secret, "headers": dict(headers), "body": body.decode("latin-1")})
        ran = subprocess.run(
            [tool("node"), str(folder / "main.mjs")], input=given, capture_output=True, text=True, check=True
        )
        return {"true": True, "false": False}[ran.stdout]

    return verify


class Sent:
    """A message as it arrived while two secrets held, the newer and the older one."""

    def __init__(self, message: Received, secrets: tuple[str, str]) -> None:
        self.message = message
        self.secrets = secrets


@pytest.fixture(scope="module")
async def sent(postgres: Postgres) -> AsyncIterator[Sent]:
    url = postgres.create_database("users_webhook_recipes")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as users, webhook_receiver() as receiver:
        users.resources.settings = replace(
            users.resources.settings, webhook_key="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", webhook_loopback=True
        )
        await an_account(users, "ann")
        made = (await users.data(CREATE, "ann", {"url": receiver.url}))["createWebhookEndpoint"]
        which = {"id": made["webhookEndpoint"]["id"]}
        newer = (await users.data(ROTATE, "ann", which))["rotateWebhookSecret"]["secret"]
        await users.data(TEST, "ann", which)
        async with WebhookSender(users.resources) as sender:
            await sender.send_some()
            await sender.finish()
        yield Sent(receiver.received[0], (newer, made["secret"]))


@pytest.mark.parametrize("recipe_in", [in_python, in_javascript], ids=["python", "javascript"])
def test_a_recipe_verifies_what_was_sent_and_refuses_everything_else(
    recipe_in: Callable[[Path], Verify], sent: Sent, tmp_path: Path
) -> None:
    verify = recipe_in(tmp_path)
    headers, body = sent.message.headers, sent.message.body
    secret = sent.secrets[0]
    assert [verify(each, headers, body) for each in sent.secrets] == [True, True]
    assert not verify(f"whsec_{'A' * 43}=", headers, body)
    assert not verify(secret, headers, body + b" ")
    assert not verify(secret, headers | {"webhook-id": "msg_other"}, body)
    assert not verify(secret, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body)
    assert not verify(secret, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 400)}, body)
    signature = headers["webhook-signature"].split(" ")[0]
    for wrong in ("", "v1,", "v1", signature.replace("v1,", "v2,"), signature[:-8]):
        assert not verify(secret, headers | {"webhook-signature": wrong}, body)
