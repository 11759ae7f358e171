"""What FitTracker puts into the router's pages: samples that are valid, people who exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from deploy.sample_data import read_demo
from deploy.workbench import OPERATIONS, SIGN_IN, workbench_settings
from router.operation.document import with_incremental_directives
from router.settings import Settings
from router.workbench import Sample, read_samples

API = with_incremental_directives(
    build_schema((Path(__file__).parents[3] / "schema" / "fittracker" / "api.graphql").read_text())
)


@pytest.mark.parametrize("sample", read_samples(OPERATIONS), ids=lambda sample: sample.title)
def test_a_sample_is_valid_in_the_committed_graph(sample: Sample) -> None:
    assert validate(API, parse(sample.operation)) == []


def test_every_feature_has_a_sample() -> None:
    features = {sample.feature for sample in read_samples(OPERATIONS)}
    assert features == {"Queries", "Mutations", "Subscriptions", "Answers in pieces", "Errors"}


def test_the_sample_people_can_be_signed_in_as() -> None:
    settings = Settings.model_validate({"supergraph": "a", "workbench": workbench_settings(has_people=True)})
    assert settings.workbench.sign_in is not None
    assert validate(API, parse(SIGN_IN)) == []
    known = {(person["email"], read_demo()["password"]) for person in read_demo()["people"]}
    assert {
        (each.variables["email"], each.variables["password"]) for each in settings.workbench.sign_in.people
    } == known


def test_the_demo_is_served_and_the_pages_link_to_it() -> None:
    workbench = Settings.model_validate({"supergraph": "a", "workbench": workbench_settings(has_people=True)}).workbench
    (site,), (link,) = workbench.sites, workbench.links
    assert link.url == f"{site.path}/"
    assert (site.folder / "index.html").is_file()


def test_nobody_is_offered_where_the_people_are_not_loaded() -> None:
    assert "sign_in" not in workbench_settings(has_people=False)
