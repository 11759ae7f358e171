"""What one test sets up for the whole process is not there in the next (`tests/conftest.py`)."""

import gc

import pytest
import structlog

from router.garbage import collect_in_short_pauses, is_set_up
from router.log_lines import LogForm, configure, form_of_process

log = structlog.get_logger()


def test_a_first_one_sets_up_logs_and_collector(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogForm(for_people=True))
    log.info("first")
    collect_in_short_pauses()
    assert "first" in capsys.readouterr().out
    assert is_set_up()


def test_b_the_next_one_finds_neither(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("second")
    assert "second" in capsys.readouterr().out
    assert form_of_process() is None
    assert not is_set_up()
    assert gc.get_freeze_count() == 0
