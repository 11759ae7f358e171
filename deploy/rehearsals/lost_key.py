"""The trouble of a key that was replaced: users cannot open what it sealed under the former one.

Whoever starts the platform gives it the key in a file, as production does: `key_in_a_file`.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from deploy.errors import FriendlyError
from deploy.rehearsals.platform import LOGIN, SIGN_IN, Platform, fittracker, going_on
from deploy.rehearsals.scene import NotHereError, Scene
from subgraphs.users.domain.one_time_password import STEP_SECONDS, code_at

KEY_FILE = "second-factor-key"
#: Between two sign-ins: ten of them are judged at once, further ones have to wait.
PAUSE_SECONDS = 2.0

REGISTER = "mutation Register($input: RegisterInput!) { register(input: $input) { accessToken } }"
BEGIN = "mutation BeginFactor($input: BeginSecondFactorInput!) { beginSecondFactor(input: $input) { secret } }"
CONFIRM = (
    "mutation ConfirmFactor($input: ConfirmSecondFactorInput!) { confirmSecondFactor(input: $input) { recoveryCodes } }"
)


def key_in_a_file(folder: Path) -> Mapping[str, str]:
    """Makes a key in this folder; the environment with which a platform reads it, at each start of a process."""
    file = folder / KEY_FILE
    _write_key(file, secrets.token_urlsafe(32))
    return {"SECOND_FACTOR_KEY_FILE": str(file)}


@asynccontextmanager
async def factor_key_is_lost(scene: Scene) -> AsyncIterator[None]:
    """Somebody with an authenticator app cannot sign in: the key is another one, and SECOND_FACTOR_PREVIOUS_KEYS is empty."""
    file = scene.folder / KEY_FILE
    if not file.exists():
        raise NotHereError("needs a platform whose key is in a file")
    email, secret = await _enrol(scene.platform)
    former = file.read_text(encoding="ascii")
    await _replace_key(scene, secrets.token_urlsafe(32))
    try:
        async with going_on(_sign_in_in_vain(scene.platform, email, secret)):
            yield
    finally:
        await _replace_key(scene, former)


async def _enrol(platform: Platform) -> tuple[str, bytes]:
    """A new person with an app: their address, and the secret that the app was given."""
    email = f"factor-{time.time_ns()}@example.com"
    person = {"email": email, "password": SIGN_IN["password"], "displayName": "A Person"}
    registered = await _data(platform, REGISTER, person)
    signed_in = {"authorization": f"Bearer {registered['register']['accessToken']}"}
    begun = await _data(platform, BEGIN, {"currentPassword": SIGN_IN["password"]}, **signed_in)
    secret = base64.b32decode(begun["beginSecondFactor"]["secret"])
    confirmed = await _data(platform, CONFIRM, {"code": _code(secret)}, **signed_in)
    if not confirmed["confirmSecondFactor"]["recoveryCodes"]:
        raise FriendlyError("the code of the app was refused, though its key is there")
    return email, secret


async def _sign_in_in_vain(platform: Platform, email: str, secret: bytes) -> None:
    while True:
        given = {"email": email, "password": SIGN_IN["password"], "secondFactor": _code(secret)}
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            await platform.ask(LOGIN, {"input": given})
        await asyncio.sleep(PAUSE_SECONDS)


async def _replace_key(scene: Scene, key: str) -> None:
    """Raises FriendlyError where no process with the key comes up in the place of the present one."""
    _write_key(scene.folder / KEY_FILE, key)
    if not await fittracker("roll", "users", data=scene.folder / "data"):
        raise FriendlyError("users did not start with another key")


async def _data(platform: Platform, query: str, given: Mapping[str, str], **headers: str) -> dict[str, Any]:
    """Raises FriendlyError where it was refused."""
    answer = await platform.ask(query, {"input": given}, **headers)
    if answer.get("errors"):
        raise FriendlyError(f"refused: {answer['errors'][0]['message']}")
    return dict(answer["data"])


def _code(secret: bytes) -> str:
    return code_at(secret, int(time.time() // STEP_SECONDS))


def _write_key(file: Path, key: str) -> None:
    file.write_text(key, encoding="ascii")
    file.chmod(0o600)
