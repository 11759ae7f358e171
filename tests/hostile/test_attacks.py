"""Every attack in a short form, with a victim beside it: nobody else notices, and nothing grows without bound."""

from collections.abc import AsyncIterator

import pytest

from tests.hostile.attacks import ATTACKS
from tests.hostile.beside import MOST_MEMORY_MIB, attacked
from tests.testkit.running_stack import RunningStack, Visitor, running_stack

#: Codes that say no. Whatever else comes must be an answer.
REFUSALS = {
    "nested_connections": {"COST_ESTIMATED_TOO_EXPENSIVE", "ANSWER_TOO_LARGE"},
    "many_aliases": {"COST_ESTIMATED_TOO_EXPENSIVE", "TOKEN_LIMIT_EXCEEDED", "ROOT_FIELD_LIMIT_EXCEEDED"},
    "long_searches": {"COST_ESTIMATED_TOO_EXPENSIVE", "BAD_USER_INPUT"},
    "password_guesses": {"UNAUTHENTICATED", "RATE_LIMITED"},
    "one_password_on_many_accounts": {"RATE_LIMITED"},
    "equal_subscriptions": {"TOO_MANY_OPERATIONS"},
    "many_registrations": {"RATE_LIMITED"},
    "odd_heads": {"HTTP 400"},
}


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    data = tmp_path_factory.mktemp("hostile") / "data"
    async with running_stack(data, "--no-sample-data", ROUTER_TRUSTED_PROXIES="127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
async def person(stack: RunningStack) -> Visitor:
    """Somebody with thirty meals, so that pages of meals have something to multiply."""
    person = await stack.register()
    per100 = {"energyKcal": 389, "proteinG": 17, "carbsG": 66, "fatG": 7}
    made = await person.data(
        "mutation($input: CreateFoodInput!) { createFood(input: $input) { food { id } userErrors { field message } } }",
        {"input": {"name": "Chicken of my own", "category": "GRAIN", "per100": per100}},
    )
    food = made["createFood"]["food"]["id"]
    log = "mutation($input: LogMealInput!) { logMeal(input: $input) { userErrors { message } } }"
    for _ in range(30):
        await person.data(log, {"input": {"slot": "LUNCH", "items": [{"foodId": food, "grams": 50}]}})
    return person


@pytest.mark.parametrize("name", ATTACKS)
async def test_nobody_else_notices(stack: RunningStack, person: Visitor, name: str) -> None:
    outcome = await attacked(name, stack, person, seconds=1)
    assert outcome.failed == 0, outcome
    assert outcome.asked > 0
    assert max(outcome.memory_mib.values()) < MOST_MEMORY_MIB, outcome
    if name in REFUSALS:
        assert set(outcome.answers) & REFUSALS[name], outcome
    assert "INTERNAL_SERVER_ERROR" not in outcome.answers
