"""Which attacks `python -m tests.hostile` makes, and where it writes what came of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.hostile.__main__ import arguments, results_file
from tests.hostile.attacks import ATTACKS

AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


def test_only_the_attacks_that_are_named_are_made_and_in_their_order() -> None:
    options = arguments().parse_args(["--seconds", "5", "--attacks", "odd_heads", "equal_subscriptions"])
    assert options.attacks == ["odd_heads", "equal_subscriptions"]
    assert options.seconds == 5.0


def test_all_are_made_where_none_is_named() -> None:
    assert arguments().parse_args([]).attacks is None


def test_an_attack_that_there_is_not_is_refused_and_the_others_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments().parse_args(["--attacks", "odd_head"])
    assert ended.value.code == 2
    assert "odd_heads" in capsys.readouterr().err


def test_the_help_names_every_attack(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments().parse_args(["--help"])
    told = "".join(capsys.readouterr().out.split())  # its lines may be broken anywhere
    assert [name for name in ATTACKS if name not in told] == []


def test_the_results_of_some_attacks_replace_no_results_of_all() -> None:
    folder = Path("results")
    assert results_file(None, AT, folder) == folder / "2026-11-30.md"
    assert results_file(["odd_heads"], AT, folder) == folder / "2026-11-30-odd_heads.md"
