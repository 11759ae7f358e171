"""The users subgraph as an ASGI application. Served by `__main__` and deploy, mounted by the in-process router."""

from starlette.routing import Route

from subgraphs.shell.app import Subgraph, SubgraphApp, build_app
from subgraphs.shell.context import Resources
from subgraphs.shell.revocation import PATH
from subgraphs.shell.settings import Settings, read_settings
from subgraphs.users.commands.api_key import forget_api_keys
from subgraphs.users.commands.cell import cell_routes
from subgraphs.users.commands.ended_session import forget_old_sessions
from subgraphs.users.commands.factor_sealing import seal_factors
from subgraphs.users.commands.grant import forget_grants
from subgraphs.users.commands.health_data import erase_withdrawn
from subgraphs.users.commands.logged_entry import forget_logged
from subgraphs.users.commands.mail import forget_mail
from subgraphs.users.commands.mail_delivery import deliver_mail
from subgraphs.users.commands.measurement import tell_untold_measurements
from subgraphs.users.commands.notification import forget_notifications
from subgraphs.users.commands.passkey_challenge import forget_challenges
from subgraphs.users.commands.people_count import measure_people
from subgraphs.users.commands.push_delivery import deliver_pushes, forget_pushes
from subgraphs.users.commands.queue_age import measure_queues
from subgraphs.users.commands.reminder_delivery import remind_people
from subgraphs.users.commands.webhook_delivery import deliver_webhooks, forget_deliveries
from subgraphs.users.commands.workout_reminder import forget_plans
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.projections import notification, planned_workout
from subgraphs.users.schema import schema

BATCH_MEASUREMENTS = 1_000


async def tell_measurements_of_before(resources: Resources) -> None:
    """Tell what was measured before measurements were told, a batch a transaction."""
    told = BATCH_MEASUREMENTS
    while told == BATCH_MEASUREMENTS:
        async with resources.database.transaction() as transaction:
            told = await tell_untold_measurements(transaction, BATCH_MEASUREMENTS)


SUBGRAPH = Subgraph(
    name="users",
    schema=schema,
    make_loaders=UsersLoaders,
    at_start=(tell_measurements_of_before,),
    consumers=(notification.subscription, planned_workout.subscription),
    forget=(
        forget_old_sessions,
        forget_mail,
        forget_grants,
        forget_notifications,
        forget_logged,
        forget_plans,
        forget_pushes,
        forget_api_keys,
        forget_challenges,
        forget_deliveries,
    ),
    loops=(deliver_mail, remind_people, deliver_pushes, deliver_webhooks, seal_factors, erase_withdrawn),
    measures=(measure_queues, measure_people),
    routes=lambda resources: (*cell_routes(resources), Route(PATH, resources.revoked_sessions.tell)),
)


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """Raises SettingsError when the environment does not describe a subgraph that can run."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
