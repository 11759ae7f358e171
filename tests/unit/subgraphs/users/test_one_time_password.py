"""One-time passwords by the test vectors of RFC 4226 and RFC 6238."""

import pytest

from subgraphs.users.domain.one_time_password import code_at, enrolment_uri, matching_step, shown_secret

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(("counter", "code"), [(0, "755224"), (1, "287082"), (5, "254676"), (9, "520489")])
def test_codes_of_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert code_at(SECRET, counter) == code


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")],
)
def test_codes_of_rfc_6238_appendix_b_to_six_digits(seconds: int, code: str) -> None:
    assert matching_step(SECRET, code, seconds, None) == seconds // 30


def test_a_code_holds_for_a_step_either_way_and_not_again() -> None:
    code = code_at(SECRET, 100)
    assert [matching_step(SECRET, code, step * 30, None) for step in (98, 99, 100, 101, 102)] == [
        None,
        100,
        100,
        100,
        None,
    ]
    assert matching_step(SECRET, code, 3000, 100) is None
    assert matching_step(SECRET, code_at(SECRET, 101), 3000, 100) == 101


def test_an_app_is_told_the_secret_in_base_32() -> None:
    assert shown_secret(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert enrolment_uri(SECRET, "A B", "x@y.z").startswith("otpauth://totp/A%20B%3Ax%40y.z?secret=GEZD")
