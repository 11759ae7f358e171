"""The workouts subgraph as a process: its schema, loaders and the consumer of what it must know of people."""

from subgraphs.shell.app import Subgraph, SubgraphApp, build_app
from subgraphs.shell.context import Resources
from subgraphs.shell.settings import Settings, read_settings
from subgraphs.workouts.commands.exercise_index import renew_exercise_index
from subgraphs.workouts.commands.plan_event import tell_untold_plans
from subgraphs.workouts.commands.planned_workout import forget_planned
from subgraphs.workouts.commands.settle import settle_outdated_workouts
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.projections.person import subscription
from subgraphs.workouts.schema import schema

BATCH_WORKOUTS = 100
BATCH_PLANS = 1_000


async def index_exercises(resources: Resources) -> None:
    """Once at the start: a new release may read names in another way."""
    await renew_exercise_index(resources.database)


async def settle_by_new_rules(resources: Resources) -> None:
    """Give workouts that an older release settled the numbers of this one, a batch a transaction."""
    settled = BATCH_WORKOUTS
    while settled == BATCH_WORKOUTS:
        async with resources.database.transaction() as transaction:
            settled = await settle_outdated_workouts(transaction, BATCH_WORKOUTS, resources.now())


async def tell_plans_of_before(resources: Resources) -> None:
    """Tell what was planned before plans were told, a batch a transaction."""
    told = BATCH_PLANS
    while told == BATCH_PLANS:
        async with resources.database.transaction() as transaction:
            told = await tell_untold_plans(transaction, BATCH_PLANS, resources.now())


SUBGRAPH = Subgraph(
    name="workouts",
    schema=schema,
    make_loaders=WorkoutsLoaders,
    consumers=(subscription,),
    at_start=(index_exercises, settle_by_new_rules, tell_plans_of_before),
    forget=(forget_planned,),
)


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """The ASGI application. Raises SettingsError without usable settings."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
