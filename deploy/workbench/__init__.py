"""What FitTracker puts into the router's pages for development: people to sign in as, sample operations, panels, the demo.

`stack` writes it into the router's configuration; the router knows none of it. Nothing of it is written in production.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.sample_data import read_demo

OPERATIONS = Path(__file__).parent / "operations"
DEMO = Path(__file__).parents[1] / "demo" / "built"
DEMO_PATH = "/demo"
TITLE = "FitTracker Pro"
DESCRIPTION = (
    "Meals, workouts, weight and goals of people who keep fit, as one graph over four subgraphs. Sign in as one of the"
    " sample people, run a sample, and see below which subgraph was asked what, and when."
)
SIGN_IN = "mutation SignIn($email: String!, $password: String!) { login(input: {email: $email, password: $password}) { accessToken } }"


def workbench_settings(*, has_people: bool) -> dict[str, Any]:
    """The router's setting `workbench`; `has_people` where the sample people are loaded."""
    settings: dict[str, Any] = {
        "title": TITLE,
        "description": DESCRIPTION,
        "samples": str(OPERATIONS),
        "links": [{"title": "Demo", "url": f"{DEMO_PATH}/"}],
        "sites": [{"path": DEMO_PATH, "folder": str(DEMO)}],
    }
    if has_people:
        settings["sign_in"] = {"operation": SIGN_IN, "token": "login.accessToken", "people": _people()}
    return settings


def console_settings(data_dir: Path) -> dict[str, Any]:
    """The router's setting `console`: the panels of the stack that keeps its data there."""
    panels = {"provider": "deploy.workbench.panels:StackPanels", "arguments": {"data_dir": str(data_dir)}}
    return {"panels": [panels]}


def _people() -> list[dict[str, Any]]:
    demo = read_demo()
    return [
        {
            "name": person["displayName"],
            "note": f"{person['fitnessGoal'].lower().replace('_', ' ')}, {person['timeZone']}",
            "variables": {"email": person["email"], "password": demo["password"]},
        }
        for person in demo["people"]
    ]
