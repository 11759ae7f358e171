"""What people agree to, by purpose and version of the text. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from subgraphs.shell.errors import Checks


class ConsentPurpose(StrEnum):
    TERMS = "TERMS"
    HEALTH_DATA = "HEALTH_DATA"
    EMAILS = "EMAILS"
    STATISTICS = "STATISTICS"


class ConsentWay(StrEnum):
    REGISTRATION = "REGISTRATION"
    SETTINGS = "SETTINGS"


#: Without these there is no account: the contract, and the express consent that health data needs (GDPR, article 9 (2) a).
REQUIRED = frozenset({ConsentPurpose.TERMS, ConsentPurpose.HEALTH_DATA})
#: How long an account without consent to health data can still be exported, or taken up again, before it is erased.
ERASED_AFTER = timedelta(days=14)
#: Decisions of one person; the oldest that are past are forgotten beyond that.
MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class ConsentChoice:
    """A decision: `version` is that of the text which was shown, None where no text has one."""

    purpose: ConsentPurpose
    is_given: bool
    version: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided last about a purpose."""

    is_given: bool
    version: str | None


def check_choices(checks: Checks, choices: Sequence[ConsentChoice], in_force: Mapping[ConsentPurpose, str]) -> None:
    """Each purpose once, and nobody agrees to another text than the one in force."""
    seen: set[ConsentPurpose] = set()
    for place, choice in enumerate(choices):
        checks.require(choice.purpose not in seen, f"consents.{place}.purpose", "is named twice")
        seen.add(choice.purpose)
        wanted = in_force.get(choice.purpose)
        told = "must be null: no text of this purpose has a version" if wanted is None else f"must be {wanted}"
        checks.require(not choice.is_given or choice.version == wanted, f"consents.{place}.version", told)


def check_required(checks: Checks, choices: Iterable[ConsentChoice], in_force: Mapping[ConsentPurpose, str]) -> None:
    """Whoever registers has to agree to what is required and has a text in force."""
    given = {choice.purpose for choice in choices if choice.is_given}
    lacking = [purpose for purpose in ConsentPurpose if purpose in REQUIRED & in_force.keys() and purpose not in given]
    checks.require(not lacking, "consents", f"must agree to {', '.join(lacking)}")


def is_missing(purpose: ConsentPurpose, decided: Decided | None, in_force: Mapping[ConsentPurpose, str]) -> bool:
    """Whether to ask: its text in force was not decided about, or was refused though it is required."""
    if purpose not in in_force:
        return False
    if decided is None or decided.version != in_force[purpose]:
        return True
    return purpose in REQUIRED and not decided.is_given
