"""How API keys are written."""

import re

import pytest

from subgraphs.users.domain.api_key import is_well_formed, make_secret


def test_a_key_is_found_by_the_pattern_that_the_documentation_gives_to_scanners() -> None:
    keys = {make_secret() for _ in range(50)}
    assert len(keys) == 50
    assert all(re.fullmatch(r"ftkey_[A-Za-z0-9_-]{43}_[0-9a-f]{8}", key) for key in keys)
    assert all(is_well_formed(key) and is_well_formed(f"eu-1.{key}") for key in keys)


@pytest.mark.parametrize("place", [0, 10, 40, 48, 57])
def test_a_mistyped_key_is_none(place: int) -> None:
    key = make_secret()
    other = "a" if key[place] != "a" else "b"
    assert not is_well_formed(key[:place] + other + key[place + 1 :])
    assert not is_well_formed(key[:-1])
