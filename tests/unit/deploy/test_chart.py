"""The Helm chart: what it renders is accepted by Kubernetes' own schemas and confines what runs."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cli import app as command_line
from tests.unit.deploy.test_runbooks import parse

CHART = Path(__file__).parents[3] / "deploy" / "kubernetes" / "chart"
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "canary": {"canary": {"enabled": True, "tag": "0.2.0"}},
    "ingress": {"router": {"ingress": {"enabled": True}}},
    "fixed": {"router": {"autoscaling": {"enabled": False}}, "backup": {"enabled": False}},
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The chart's documents; the caller may not change them."""
    return _rendered(json.dumps(values))


@cache
def _rendered(values: str) -> list[dict[str, Any]]:
    helm = pytest.importorskip("helm_python", reason="needs helm-python-sdk, see deploy/kubernetes/README.md")
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(json.loads(values), name="fittracker").values()
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


@pytest.mark.parametrize("name", VARIANTS)
def test_kubernetes_accepts_what_is_rendered(name: str, tmp_path: Path) -> None:
    documents = rendered(VARIANTS[name])
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    command = [str(Path(sys.executable).parent / "kubernetes-validate"), "--strict", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schemas_would_have_complained(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: many}]}\n")
    command = [str(Path(sys.executable).parent / "kubernetes-validate"), "--strict", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def pods(documents: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Every pod specification, with the name of what makes it."""
    found = []
    for document in documents:
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found.append((document["metadata"]["name"], template["spec"]))
    return found


@pytest.mark.parametrize("name", VARIANTS)
def test_every_container_is_confined_and_bounded(name: str) -> None:
    for pod, spec in pods(rendered(VARIANTS[name])):
        assert spec["securityContext"]["runAsNonRoot"], pod
        assert spec["automountServiceAccountToken"] is False, pod
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"], pod
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, pod
            assert container["resources"]["limits"]["memory"], pod


def test_every_command_is_one_that_the_command_line_takes() -> None:
    assert command_line
    for _, spec in pods(rendered(VARIANTS["default"])):
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            parse(["fittracker", *container["args"]])


def test_no_secret_is_a_value() -> None:
    for pod, spec in pods(rendered(VARIANTS["default"])):
        for container in spec["containers"]:
            for variable in container["env"]:
                if (
                    "SECRET" in variable["name"]
                    or "DATABASE_URL" in variable["name"]
                    or "REDIS_URL" in variable["name"]
                ):
                    assert variable["name"].endswith("_FILE") or "valueFrom" in variable, (pod, variable["name"])


def test_every_deployment_scales_survives_a_drain_and_is_closed_to_strangers() -> None:
    documents = rendered(VARIANTS["default"])
    by_kind: dict[str, set[str]] = {}
    for document in documents:
        by_kind.setdefault(document["kind"], set()).add(document["metadata"]["name"])
    assert by_kind["Deployment"] <= by_kind["NetworkPolicy"]
    serving = by_kind["Deployment"] - {CHECK}  # which answers nobody but the scraper
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Service"):
        assert serving <= by_kind[kind], kind
    assert by_kind["CronJob"] == {"backup", "restore-drill", "weekly-maintenance"}


def test_projections_are_compared_with_their_sources_for_ever() -> None:
    """As in the compose file: else the alert ProjectionDiffers has nothing to read."""
    documents = rendered(VARIANTS["default"])
    (spec,) = (spec for name, spec in pods(documents) if name == CHECK)
    (container,) = spec["containers"]
    compose = yaml.safe_load((CHART.parents[1] / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    assert container["args"] == compose["services"][CHECK]["command"]
    given = {each["name"] for each in container["env"]}
    assert given >= {name for name in compose["services"][CHECK]["environment"] if name.startswith("DATABASE_URL")}
    labels = {"app": CHECK, "app.kubernetes.io/name": "fittracker"}
    reached = {who for who in (INGRESS, MONITORING, OTHERS) if may_reach(documents, who, labels, 9100)}
    assert reached == {MONITORING}
    assert CHECK not in {name for name, _ in pods(rendered({"projectionCheck": {"enabled": False}}))}


def test_a_canary_shares_the_service_and_runs_another_image() -> None:
    deployments = {
        each["metadata"]["name"]: each for each in rendered(VARIANTS["canary"]) if each["kind"] == "Deployment"
    }
    service = next(
        each
        for each in rendered(VARIANTS["canary"])
        if (each["kind"], each["metadata"]["name"]) == ("Service", "router")
    )
    images = set()
    for name in ("router", "router-canary"):
        template = deployments[name]["spec"]["template"]
        assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        images.add(template["spec"]["containers"][0]["image"])
    assert images == {"fittracker:0.1.0", "fittracker:0.2.0"}


CHECK = "projection-check"
ROUTER = {"app": "router", "app.kubernetes.io/name": "fittracker"}
INGRESS, MONITORING, OTHERS = "ingress-nginx", "monitoring", "default"


def may_reach(documents: list[dict[str, Any]], namespace: str, pod: dict[str, str], port: int) -> bool:
    """Whether a pod of another namespace gets a connection, by the rules of networking.k8s.io/v1: what some policy selects
    gets nothing but what one of those that select it lets in. Peers by `podSelector` alone are of the policies' own namespace.
    """
    selecting = [
        document["spec"]
        for document in documents
        if document["kind"] == "NetworkPolicy"
        and document["spec"]["podSelector"].get("matchLabels", {}).items() <= pod.items()
    ]
    labels = {"kubernetes.io/metadata.name": namespace}
    return not selecting or any(
        any(each["port"] == port for each in rule.get("ports", [{"port": port}]))
        and any(
            "namespaceSelector" in peer and peer["namespaceSelector"].get("matchLabels", {}).items() <= labels.items()
            for peer in rule.get("from", [{"namespaceSelector": {}}])
        )
        for policy in selecting
        for rule in policy.get("ingress", ())
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_the_management_port_is_for_the_scraper_and_the_clients_port_for_the_ingress(name: str) -> None:
    documents = rendered(VARIANTS[name])
    settings = yaml.safe_load((CHART.parents[1] / "compose" / "router.yaml").read_text(encoding="utf-8"))
    clients, management = settings["port"], settings["management"]["port"]
    for deployment in (each for each in documents if each["kind"] == "Deployment"):
        template = deployment["spec"]["template"]
        labels, annotations = template["metadata"]["labels"], template["metadata"].get("annotations", {})
        if labels["app"] != "router":
            for port in (clients, management, *range(8081, 8085)):
                assert not may_reach(documents, INGRESS, labels, port), (labels, port)
            continue
        listens = {each["containerPort"] for each in template["spec"]["containers"][0]["ports"]}
        assert (listens, annotations["prometheus.io/port"]) == ({clients, management}, str(management))
        reached = {
            (namespace, port)
            for namespace in (INGRESS, MONITORING, OTHERS)
            for port in (clients, management)
            if may_reach(documents, namespace, labels, port)
        }
        assert reached == {(INGRESS, clients), (MONITORING, management)}
    (service,) = (
        each for each in documents if each["kind"] == "Service" and each["spec"]["selector"].get("app") == "router"
    )
    assert [each["port"] for each in service["spec"]["ports"]] == [clients]  # so no ingress can name the other


def test_a_policy_that_lets_everybody_in_would_be_seen() -> None:
    documents = rendered(VARIANTS["default"])
    assert not may_reach(documents, OTHERS, ROUTER, 9080)
    opened = {"kind": "NetworkPolicy", "spec": {"podSelector": {"matchLabels": {"app": "router"}}, "ingress": [{}]}}
    assert may_reach([*documents, opened], OTHERS, ROUTER, 9080)
    assert may_reach(rendered({"networkPolicy": {"enabled": False}}), OTHERS, ROUTER, 9080)


def test_further_variables_reach_every_subgraph() -> None:
    values = {"subgraphEnvironment": {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_REPLICATION_FACTOR": 3}}
    found = {
        pod: {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
        for pod, spec in pods(rendered(values))
        if spec["containers"][0]["args"][0] == "subgraph"
    }
    assert len(found) >= 4
    for pod, variables in found.items():
        assert variables.get("KAFKA_SECURITY_PROTOCOL") == "SASL_SSL", pod
        assert variables.get("KAFKA_REPLICATION_FACTOR") == "3", pod
