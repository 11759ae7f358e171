"""`python -m deploy.dashboards`: writes json/ and README.md anew from the catalog."""

import json
from pathlib import Path

from deploy.dashboards.catalog import DASHBOARDS
from deploy.dashboards.page import FILE, page

FOLDER = Path(__file__).parent / "json"


def texts() -> dict[str, str]:
    """File name -> the text that Grafana reads."""
    return {f"{each.uid}.json": json.dumps(each.document(), indent=1, ensure_ascii=False) + "\n" for each in DASHBOARDS}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = texts()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for stale in {file.name for file in FOLDER.glob("*.json")} - set(wanted):
        (FOLDER / stale).unlink()
    FILE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
