"""README.md of this folder: what each dashboard is for, with its picture. `python -m deploy.dashboards` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.dashboards.catalog import DASHBOARDS

FILE = Path(__file__).parent / "README.md"
PICTURES = Path(__file__).parent / "pictures"

_HEAD = """# Dashboards

Eight, for Grafana, made from [the catalog](catalog.py) by `python -m deploy.dashboards`, which writes this page too; [json/](json) is what Grafana is
provisioned with. Panels have the unit of their axis, begin at zero, and show a dashed red line where their alert begins. Rates are means of five
minutes: what lasted some seconds is seen for five minutes after.

The pictures show ten minutes of a platform that was in use, as a live Prometheus told them; what happened meanwhile is written at the top of each and
marked by dotted lines. They were drawn on {date}, on two cores that were busy besides, by `python -m tests.testkit.dashboard_pictures`: seventeen
minutes, with Debian's Prometheus and exporters. In Grafana the same panels look a little otherwise.
One person writes everything, whose day is soon full: it takes fifty meals and a hundred drinks, and what is refused makes no event of nutrition.
"""


def picture_of(uid: str) -> Path:
    return PICTURES / f"{uid}.svg"


def page() -> str:
    """The text of README.md; its date is that of the committed pictures."""
    (date,) = {drawn_on(picture_of(each.uid).read_text(encoding="utf-8")) for each in DASHBOARDS}
    parts = [_HEAD.format(date=date)]
    for each in DASHBOARDS:
        image = picture_of(each.uid).relative_to(FILE.parent)
        parts.append(f"## {each.title}\n\n{each.purpose}\n\n![The panels of {each.title}]({image})\n")
    return "\n".join(parts)


def drawn_on(picture: str) -> str:
    """The day that a picture names. Raises ValueError where it names none."""
    found = re.search(r"\b\d{4}-\d{2}-\d{2}\b", picture)
    if found is None:
        raise ValueError("the picture names no day")
    return found[0]
