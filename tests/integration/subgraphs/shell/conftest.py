"""People of the tests of grants: each test has two of its own."""

from itertools import count

import pytest

_numbers = count(1)


@pytest.fixture
def owner() -> str:
    return f"owner-{next(_numbers)}"


@pytest.fixture
def coach() -> str:
    return f"coach-{next(_numbers)}"
