"""The runbooks' commands, typed while their trouble is there: the drills that stop nothing which other tests use.

`python -m deploy.rehearsals.runbooks` makes them all, and takes minutes.
"""

from __future__ import annotations

import pytest

from deploy.rehearsals.platform import Platform
from deploy.rehearsals.runbook_drills import DRILLS, Drill, Step
from deploy.rehearsals.runbook_pages import commands
from deploy.rehearsals.runbooks import NotAsThePageSaysError, Shell, make, words_of
from deploy.rehearsals.scene import Scene
from tests.testkit.running_stack import RunningStack

SHORT = [drill for drill in DRILLS if drill.short]


@pytest.fixture
async def scene(stack: RunningStack) -> Scene:
    platform = Platform(stack.directory.path, stack.state, stack.session)
    platform.token = (await stack.register()).access_token
    return Scene(platform, stack.directory.path.parent, None)


@pytest.mark.parametrize("drill", SHORT, ids=lambda drill: f"{drill.page}: {drill.what}")
async def test_a_page_says_what_one_sees(scene: Scene, drill: Drill) -> None:
    typed = await make(drill, scene, slow=False, patience=15)
    assert len(typed) == len([step for step in drill.steps if not step.slow])


async def test_a_page_that_says_something_else_is_seen(scene: Scene) -> None:
    """With the trouble away, the same look finds nothing; and so does a wrong status."""
    assert "fittracker db locks" in commands("database")
    shell = Shell(words_of(scene), scene.folder / "data")
    for wrong in (
        Step("fittracker db locks", "LOCK TABLE food", once=True),
        Step("fittracker db locks", "holder", status=1, once=True),
    ):
        with pytest.raises(NotAsThePageSaysError, match="db locks --data-dir"):
            await shell.run(wrong)
