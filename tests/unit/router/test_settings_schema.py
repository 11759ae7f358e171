from typing import Any

from router.settings import Settings
from router.settings_schema import settings_schema


def test_every_setting_is_described() -> None:
    assert settings_schema()["properties"].keys() == Settings.model_fields.keys()
    assert settings_schema()["required"] == []


def test_numbers_and_switches_may_come_from_the_environment_and_nothing_else_changes() -> None:
    definitions: dict[str, Any] = settings_schema()["$defs"]
    depth, enabled = definitions["Limits"]["properties"]["depth"], definitions["Batching"]["properties"]["enabled"]
    for setting, kind in ((depth, "integer"), (enabled, "boolean")):
        own, placeholder = setting["anyOf"]
        assert own["type"] == kind
        assert placeholder["type"] == "string"
    assert depth["anyOf"][0]["minimum"] == 1
    assert depth["default"] == 100
    assert definitions["Limits"]["additionalProperties"] is False
