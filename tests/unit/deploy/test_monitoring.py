"""Alerts and dashboards ask for metrics that exist, and every alert has a test and a runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

import events.metrics
import router.telemetry
import subgraphs.shell.telemetry
import subgraphs.users.commands.factor_sealing
import subgraphs.users.commands.mail_delivery
import subgraphs.users.commands.people_count
import subgraphs.users.commands.queue_age
from deploy.dashboards.__main__ import FOLDER, texts
from deploy.dashboards.catalog import DASHBOARDS
from deploy.dashboards.model import Query
from deploy.rehearsals.troubles import TROUBLES
from tests.testkit.tools import tool

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
#: Prefixes of what exporters tell; the rehearsal asks the real ones.
EXPORTERS = ("node_", "pg_", "redis_")
#: Written by `fittracker backup` and `fittracker certificates` for node-exporter's text files; `up` is Prometheus' own.
ELSEWHERE = {
    "up",
    "ALERTS",
    "fittracker_backup_last_success_timestamp_seconds",
    "fittracker_certificate_expires_timestamp_seconds",
}
WORDS = {
    "sum", "rate", "by", "on", "or", "and", "max", "avg", "vector", "histogram_quantile", "increase", "topk", "time",
    "predict_linear", "count", "label_replace", "le", "ignoring", "without", "bool", "offset", "min", "unless",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def names_in(expression: str) -> set[str]:
    without_labels = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    without_groups = re.sub(r"\b(by|on|ignoring|without)\s*\([^)]*\)", " ", without_labels)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", without_groups)) - WORDS


def known_names() -> set[str]:
    import prometheus_client

    from deploy.observed import Observed

    known = set(ELSEWHERE) | {rule["record"] for rule in rules() if "record" in rule}
    Observed(lambda *_: None)  # type: ignore[arg-type,return-value]
    assert subgraphs.shell.telemetry.HTTP_REQUESTS
    assert events.metrics.OUTBOX_PUBLISHED
    assert subgraphs.users.commands.queue_age.QUEUE_AGE
    assert subgraphs.users.commands.mail_delivery.MAILS
    assert subgraphs.users.commands.people_count.PEOPLE
    assert subgraphs.users.commands.factor_sealing.UNREADABLE
    for registry in (router.telemetry.REGISTRY, prometheus_client.REGISTRY):
        for metric in registry.collect():
            known |= {metric.name, f"{metric.name}_total", f"{metric.name}_bucket", f"{metric.name}_count"}
    return known


def test_every_expression_asks_for_metrics_that_exist() -> None:
    known = known_names()
    expressions = [rule["expr"] for rule in rules()]
    expressions += [query.expression for each in DASHBOARDS for panel in each.panels for query in panel.queries]
    for expression in expressions:
        unknown = {name for name in names_in(expression) - known if not name.startswith(EXPORTERS)}
        assert not unknown, f"{unknown} in {expression}"


def test_every_alert_has_a_severity_a_sentence_and_a_runbook_that_exists() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]
        runbook = DEPLOY.parent / alert["annotations"]["runbook"]
        assert runbook.exists(), f"{alert['alert']} names {runbook}"
        assert alert["alert"] in runbook.read_text(encoding="utf-8"), f"{runbook} does not mention {alert['alert']}"


def test_every_alert_has_a_history_that_fires_it_and_one_that_does_not() -> None:
    tests = {test["name"] for test in yaml.safe_load((DEPLOY / "prometheus/tests/alerts.yml").read_text())["tests"]}
    for alert in alerts():
        assert {f"{alert['alert']} fires", f"{alert['alert']} stays quiet"} <= tests


def test_every_alert_is_raised_for_real_by_a_trouble_of_the_rehearsal() -> None:
    expected = {alert for trouble in TROUBLES for alert in trouble.alerts}
    assert {alert["alert"] for alert in alerts()} == expected


def test_a_limit_of_a_panel_is_that_of_the_alert_it_names() -> None:
    """Over the same metric, in the same direction."""
    expressions = {alert["alert"]: alert["expr"] for alert in alerts()}
    limited = [panel for each in DASHBOARDS for panel in each.panels if panel.limit is not None]
    assert len(limited) >= 10
    for panel in limited:
        assert panel.limit is not None
        expression = expressions[panel.limit.alert]
        sign = "<" if panel.limit.is_least else ">=?"
        assert re.search(rf"{sign} {panel.limit.value:g}(?![.\d])", expression), panel.title
        assert names_in(expression) & {name for query in panel.queries for name in names_in(query.expression)}


def test_a_legend_is_the_labels_that_it_names() -> None:
    query = Query("up", "{{job}} {{instance}} {{absent}}")
    assert query.legend_of({"job": "users", "instance": "a:1"}) == "users a:1"


def test_alertmanager_accepts_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text()
    # `url_file` came with 0.26; Debian 12 has 0.25
    plain = tmp_path / "alertmanager.yml"
    plain.write_text(text.replace("url_file: /run/secrets/alert_webhook_url", "url: http://127.0.0.1:9/"))
    command = [tool("amtool"), "check-config", str(plain)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_committed_dashboards_are_current_and_well_formed() -> None:
    wanted = texts()
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")} == wanted
    for text in wanted.values():
        document = json.loads(text)
        places = [tuple(panel["gridPos"].values()) for panel in document["panels"]]
        assert len(set(places)) == len(places), "panels overlap"
        assert all(panel["description"] for panel in document["panels"])
