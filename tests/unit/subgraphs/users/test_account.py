"""Rules of accounts and bodies."""

from datetime import date
from decimal import Decimal

import pytest

from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import age_years
from subgraphs.users.domain.account import Profile, check_email, check_password, check_profile, email_key
from subgraphs.users.domain.body import body_mass_index


def broken(checks: Checks) -> list[str]:
    return [name for name, _ in checks.violations]


@pytest.mark.parametrize(
    "email", ["a@b.co", "first.last+tag@sub.example.com", "o'brien@example.ie", "ü@example.com", "x@a-b.example"]
)
def test_addresses_are_accepted(email: str) -> None:
    checks = Checks()
    check_email(checks, email)
    assert broken(checks) == []


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "plain",
            "@example.com",
            "a@",
            "a@b",
            "a b@example.com",
            "a@b@example.com",
            "a@.com",
            "x" * 250 + "@b.co",
        ),
        *(
            "=?utf-8?q?a=0d=0ab?=@example.com",
            "=?utf-8?q?some=40one.example=2C?=@example.com",
            "a=?x?q?b?=@example.com",
        ),
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    checks = Checks()
    check_email(checks, email)
    assert broken(checks) == ["email"]


def test_addresses_are_compared_without_case_and_blanks() -> None:
    assert email_key(" John.Doe@Example.COM ") == email_key("john.doe@example.com")


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("Password123!", True),
        ("Pässwort1-", True),
        ("Sh0rt!a", False),
        ("password123!", False),
        ("PASSWORD123!", False),
        ("Password!!!", False),
        ("Password123", False),
        ("P@ssw0rd", False),
        ("1Qaz@wsX", False),
        ("P@ssw0rd and more", True),
        ("Aa1!" * 25, True),
        ("Aa1!" * 25 + "x", False),
    ],
)
def test_a_password_needs_four_kinds_of_characters(password: str, accepted: bool) -> None:
    checks = Checks()
    check_password(checks, password)
    assert (broken(checks) == []) is accepted


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(1990, 5, 15), date(2026, 5, 14), 35),
        (date(1990, 5, 15), date(2026, 5, 15), 36),
        (date(2004, 2, 29), date(2026, 2, 28), 21),
        (date(2004, 2, 29), date(2026, 3, 1), 22),
    ],
)
def test_age_counts_birthdays(born: date, today: date, years: int) -> None:
    assert age_years(born, today) == years


@pytest.mark.parametrize(
    ("born", "accepted"),
    [(date(2013, 3, 2), True), (date(2013, 3, 3), False), (date(2026, 3, 3), False), (date(1900, 1, 1), False)],
)
def test_users_are_between_13_and_120(born: date, accepted: bool) -> None:
    checks = Checks()
    check_profile(checks, Profile(date_of_birth=born), date(2026, 3, 2))
    assert (broken(checks) == []) is accepted


@pytest.mark.parametrize(
    ("profile", "refused"),
    [
        (Profile(height_cm=Decimal(50), target_weight_kg=Decimal(20)), []),
        (Profile(height_cm=Decimal(300), target_weight_kg=Decimal(500)), []),
        (Profile(height_cm=Decimal("49.9"), target_weight_kg=Decimal("19.9")), ["heightCm", "targetWeightKg"]),
        (Profile(height_cm=Decimal("300.1"), target_weight_kg=Decimal("500.1")), ["heightCm", "targetWeightKg"]),
    ],
)
def test_a_height_and_a_weight_to_reach_are_those_of_a_person(profile: Profile, refused: list[str]) -> None:
    checks = Checks()
    check_profile(checks, profile, date(2026, 3, 2))
    assert broken(checks) == refused


def test_body_mass_index_is_weight_over_height_squared() -> None:
    assert round(body_mass_index(Decimal(80), Decimal(180)), 2) == Decimal("24.69")
