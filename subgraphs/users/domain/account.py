"""What an account may hold: names, addresses, passwords, profile and settings. Checked by the commands before writing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import idna

from subgraphs.shell.calendar import LATEST_DAY_START, WeekStart, check_time_zone
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex, age_years
from subgraphs.shell.text import check_line, is_line, normal_text

YOUNGEST_YEARS = 13
OLDEST_YEARS = 120
LONGEST_PASSWORD = 100
#: Of the 30,000 most common passwords (the frequency list of zxcvbn 4.5.0) these have the four kinds of characters, in some
#: capitals; the others are refused for lacking one.
_TRIED_FIRST = frozenset({
    "sasha_007", "p@ssw0rd", "l58jkdjp!", "!qaz2wsx", "1qaz!qaz", "1qaz@wsx", "p030710p$e4o",
    "!qazxsw2", "ybrbnf_25", "pa$$w0rd", "%e2%82%ac", "zaq!2wsx", "fre_ak8yj", "wapbbs_1",
})  # fmt: skip
# Of BCP 47 (RFC 5646) what chooses words and formats: language, script, region; no variants, extensions or private use.
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_SCRIPT_LETTERS = 4
# The beginning of an encoded word (RFC 2047), which whoever writes a mail's head reads as other characters: as another mailbox,
# as a comma before a second one, as the end of the line.
_ENCODED_WORD = "=?"
# RFC 5321 without quoted local parts, RFC 6531 for other scripts.
_LOCAL_PART = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_LONGEST_EMAIL = 254


class Units(StrEnum):
    METRIC = "METRIC"
    IMPERIAL = "IMPERIAL"


class Role(StrEnum):
    USER = "USER"
    PREMIUM = "PREMIUM"
    ADMIN = "ADMIN"


class Theme(StrEnum):
    SYSTEM = "SYSTEM"
    LIGHT = "LIGHT"
    DARK = "DARK"


class DateFormat(StrEnum):
    BY_LANGUAGE = "BY_LANGUAGE"
    YEAR_MONTH_DAY = "YEAR_MONTH_DAY"
    DAY_MONTH_YEAR = "DAY_MONTH_YEAR"
    MONTH_DAY_YEAR = "MONTH_DAY_YEAR"


class AccountStatus(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class AuditAction(StrEnum):
    SUSPENDED = "SUSPENDED"
    REINSTATED = "REINSTATED"
    ROLES_CHANGED = "ROLES_CHANGED"
    PREMIUM_SET = "PREMIUM_SET"
    TEMPLATE_WITHDRAWN = "TEMPLATE_WITHDRAWN"
    TEMPLATE_KEPT = "TEMPLATE_KEPT"
    FOOD_WITHDRAWN = "FOOD_WITHDRAWN"
    FOOD_KEPT = "FOOD_KEPT"
    HEALTH_DATA_WITHDRAWN = "HEALTH_DATA_WITHDRAWN"
    HEALTH_DATA_AGREED_AGAIN = "HEALTH_DATA_AGREED_AGAIN"


#: PREMIUM is given for so long at most, so that a mistyped year is noticed.
LONGEST_PREMIUM = timedelta(days=3_660)
#: What tokens of people with a role may do beside reading and writing what is their own.
SCOPE_OF_ROLE: Mapping[Role, str] = {Role.PREMIUM: "premium", Role.ADMIN: "admin"}


def roles_at(given: Collection[str], premium_until: datetime | None, now: datetime) -> list[Role]:
    """The roles of an account at a moment, in their usual order: those given for good, and PREMIUM before its end."""
    has_premium = premium_until is not None and premium_until > now
    return [role for role in Role if role in given or (role is Role.PREMIUM and has_premium)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a person tells of the body and the aim; every part may be unknown."""

    date_of_birth: date | None = None
    sex: Sex | None = None
    height_cm: Decimal | None = None
    activity_level: ActivityLevel | None = None
    fitness_goal: FitnessGoal | None = None
    target_weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalSettings:
    """When a person's day and week begin, in which units the person reads, how pages are to look and speak, and whether others
    may invite the person as a reader by e-mail.
    """

    time_zone: str = "UTC"
    day_start_hour: int = 0
    week_start: WeekStart = WeekStart.MONDAY
    units: Units = Units.METRIC
    language: str | None = None
    theme: Theme = Theme.SYSTEM
    date_format: DateFormat = DateFormat.BY_LANGUAGE
    invitable_by_email: bool = True


def email_key(email: str) -> str:
    """The form in which addresses are compared: two accounts may not differ by case, or by how a domain is spelled."""
    local, _, domain = email.strip().rpartition("@")
    return normal_text(f"{local.casefold()}@{_ascii_domain(domain) or domain.casefold()}")


def ascii_address(email: str) -> str:
    """The address as mail servers have it: its domain in ASCII."""
    local, _, domain = email.strip().rpartition("@")
    return f"{local}@{_ascii_domain(domain) or domain}"


def check_email(checks: Checks, email: str, field: str = "email") -> None:
    checks.require(_is_email(email.strip()), field, "must be an e-mail address")


def _is_email(email: str) -> bool:
    local, _, domain = email.rpartition("@")
    if len(email) > _LONGEST_EMAIL or not _LOCAL_PART.fullmatch(local) or not is_line(local):
        return False
    if _ENCODED_WORD in local:
        return False
    ascii_domain = _ascii_domain(domain)
    return ascii_domain is not None and _DOMAIN.fullmatch(ascii_domain) is not None


def _ascii_domain(domain: str) -> str | None:
    """The domain as DNS has it: bücher.example is xn--bcher-kva.example. None for what is no domain."""
    if len(domain) > _LONGEST_EMAIL:
        return None
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode().lower()
    except idna.IDNAError:
        return None


def check_display_name(checks: Checks, name: str) -> None:
    check_line(checks, name, "displayName", shortest=2, longest=100)


def check_device_name(checks: Checks, name: str | None) -> None:
    if name is not None:
        check_line(checks, name, "deviceName", shortest=1, longest=100)


def check_reason(checks: Checks, reason: str) -> None:
    check_line(checks, reason, "reason", shortest=3, longest=500)


def check_password(checks: Checks, password: str, field: str = "password") -> None:
    long_enough = 8 <= len(password) <= LONGEST_PASSWORD
    if checks.require(long_enough, field, f"must have 8 to {LONGEST_PASSWORD} characters"):
        wanted = (str.isupper, str.islower, str.isdigit, lambda character: not character.isalnum())
        holds = all(any(kind(character) for character in password) for kind in wanted)
        checks.require(holds, field, "needs an upper-case and a lower-case letter, a digit and a special character")
        checks.require(password.casefold() not in _TRIED_FIRST, field, "is one of those that are tried first")


def check_profile(checks: Checks, profile: Profile, today: date) -> None:
    born = profile.date_of_birth
    if born is not None and checks.require(born < today, "dateOfBirth", "must be in the past"):
        years = age_years(born, today)
        checks.require(years >= YOUNGEST_YEARS, "dateOfBirth", f"must be at least {YOUNGEST_YEARS} years ago")
        checks.require(years <= OLDEST_YEARS, "dateOfBirth", f"must be at most {OLDEST_YEARS} years ago")
    if profile.height_cm is not None:
        checks.require(50 <= profile.height_cm <= 300, "heightCm", "must be from 50 to 300")
    if profile.target_weight_kg is not None:
        checks.require(20 <= profile.target_weight_kg <= 500, "targetWeightKg", "must be from 20 to 500")


def canonical_language(tag: str) -> str:
    """A BCP 47 tag in the case that RFC 5646 recommends: zh-Hant-TW. Text that is no tag is still none: `check_settings`."""
    language, *others = tag.split("-")
    parts = [part.title() if len(part) == _SCRIPT_LETTERS else part.upper() for part in others]
    return "-".join([language.lower(), *parts])


def check_settings(checks: Checks, settings: PersonalSettings) -> None:
    is_tag = settings.language is None or _LANGUAGE_TAG.fullmatch(settings.language) is not None
    checks.require(
        is_tag, "language", "must be a language with, if need be, script and region, such as de or zh-Hant-TW"
    )
    check_time_zone(checks, settings.time_zone, "timeZone")
    valid = 0 <= settings.day_start_hour <= LATEST_DAY_START
    checks.require(valid, "dayStartHour", f"must be from 0 to {LATEST_DAY_START}")
