"""Measurements in GraphQL, and what they and the weight say of the body's composition."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.measurement_kind_type import MeasurementKind
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.node import Node, NodeKind
from subgraphs.shell.physiology import Sex
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, IdempotencyKey, decimal_of, describe_enum, rounded
from subgraphs.shell.sharing import SHARED_BODY, load_readable
from subgraphs.users.commands import measurement as commands
from subgraphs.users.domain import measurement as domain
from subgraphs.users.domain.account import Units
from subgraphs.users.domain.body import body_mass_index
from subgraphs.users.loaders import loaders_of
from subgraphs.users.queries.account import AccountRecord
from subgraphs.users.queries.measurement import MeasurementRecord

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]

describe_enum(domain.LengthUnit, "Units of length.", CM="Centimetres.", INCH="Inches of 2.54 centimetres.")
describe_enum(
    domain.BodyFatMethod,
    "Where a number of body fat comes from.",
    MEASURED="The person's newest weighing told it.",
    NAVY="Of height, waist, neck and for women hip (Hodgdon and Beckett 1984); about 3 points off either way.",
    DEURENBERG="Of body mass index, age and sex (Deurenberg et al. 1991); about 4 points off, more for the muscular.",
)
describe_enum(
    domain.BmiCategory,
    "The World Health Organization's classes of the body mass index, for adults.",
    UNDERWEIGHT="Under 18.5 kg/m².",
    NORMAL="From 18.5, under 25.",
    OVERWEIGHT="From 25, under 30.",
    OBESE_I="From 30, under 35.",
    OBESE_II="From 35, under 40.",
    OBESE_III="From 40 on.",
)
LENGTH_UNIT_OF = {Units.METRIC: domain.LengthUnit.CM, Units.IMPERIAL: domain.LengthUnit.INCH}


@strawberry.type(description="A length in a unit.")
class Length:
    value: float = strawberry.field(description="How many of the unit, to two places.")
    unit: domain.LengthUnit = strawberry.field(description="Of what.")


LengthInOrSetting = Annotated[
    domain.LengthUnit | None, strawberry.argument(description="Null: the unit of the person's settings.")
]


def length(centimetres: Decimal, unit: domain.LengthUnit) -> Length:
    return Length(value=rounded(domain.length_in(unit, centimetres)), unit=unit)


@strawberry.federation.type(
    keys=["id", "nodeId"],
    description="One measurement of a person with a tape.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_BODY],
)
class Measurement(Node):
    record: strawberry.Private[MeasurementRecord]
    kind: MeasurementKind = strawberry.field(description="What was measured.")
    value_cm: float = strawberry.field(description="In centimetres.")
    notes: str | None = strawberry.field(description="The person's own words; null if there are none.")
    recorded_at: datetime = strawberry.field(description="When it was measured.")
    local_date: date = strawberry.field(description="The person's calendar day, by time zone and day start of then.")

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID, **_: object) -> "Measurement | None":
        return await load_measurement(info, id)

    @strawberry.field(description="The length in a unit.")
    async def value(
        self,
        info: Info,
        unit: LengthInOrSetting = None,
    ) -> Length:
        if unit is None:
            account = await loaders_of(info).account_by_id.load(self.record.user_id)
            unit = LENGTH_UNIT_OF[Units(account.units) if account is not None else Units.METRIC]
        return length(self.record.value_cm, unit)


def measurement_node(record: MeasurementRecord) -> Measurement:
    return Measurement(
        record=record,
        id=strawberry.ID(record.id),
        kind=MeasurementKind(record.kind),
        value_cm=rounded(record.value_cm),
        notes=record.notes,
        recorded_at=record.recorded_at,
        local_date=record.local_date,
    )


async def load_measurement(info: Info, id: str) -> Measurement | None:
    """The measurement, unless it is another person's who does not share it."""
    record = await load_readable(info, Measurement, loaders_of(info).measurement_by_id, id)
    return None if record is None else measurement_node(record)


@strawberry.type(description="How much of the weight is fat, by one method.")
class BodyFatEstimate:
    method: domain.BodyFatMethod = strawberry.field(description="Where the number comes from.")
    body_fat_percent: float = strawberry.field(description="Of the weight, in percent.")
    fat_mass_kg: float = strawberry.field(description="The fat, in kilograms.")
    lean_mass_kg: float = strawberry.field(description="Everything else, in kilograms.")


@strawberry.type(description="What the body is made of, as of the newest weighing and measurements. For adults.")
class BodyComposition:
    bmi: float | None = strawberry.field(description="Body mass index in kg/m²; null without a height.")
    bmi_category: domain.BmiCategory | None = strawberry.field(description="Its class; null without a height.")
    muscle_mass_kg: float | None = strawberry.field(
        description="In kilograms, as the newest weighing told it; null if it did not."
    )
    estimates: list[BodyFatEstimate] = strawberry.field(
        directives=[list_size(5)], description="By each method that has what it needs, the most direct first."
    )


async def read_composition(info: Info, account: AccountRecord, age_years: int | None) -> BodyComposition | None:
    """None before the first weighing."""
    loading = loaders_of(info).newest_girths_by_user.load(account.id)  # while the weight is read
    weight = await loaders_of(info).newest_weight_by_user.load(account.id)
    girths = {MeasurementKind(record.kind): record.value_cm for record in await loading}
    if weight is None:
        return None
    body = domain.KnownBody(
        weight_kg=weight.weight_kg,
        measured_percent=weight.body_fat_percent,
        height_cm=account.height_cm,
        age_years=age_years,
        sex=Sex(account.sex) if account.sex else None,
        girths_cm=girths,
    )
    bmi = None if account.height_cm is None else body_mass_index(weight.weight_kg, account.height_cm)
    return BodyComposition(
        bmi=None if bmi is None else rounded(bmi, 1),
        bmi_category=None if bmi is None else domain.bmi_category(bmi),
        muscle_mass_kg=None if weight.muscle_mass_kg is None else rounded(weight.muscle_mass_kg),
        estimates=[_estimate_node(each) for each in domain.fat_estimates(body)],
    )


def _estimate_node(found: domain.FatEstimate) -> BodyFatEstimate:
    return BodyFatEstimate(
        method=found.method,
        body_fat_percent=rounded(found.percent),
        fat_mass_kg=rounded(found.fat_kg),
        lean_mass_kg=rounded(found.lean_kg),
    )


@strawberry.input(description="A measurement to log; a person has up to 20,000.")
class LogMeasurementInput:
    kind: MeasurementKind = strawberry.field(description="What was measured.")
    value_cm: float = strawberry.field(description="In centimetres, 5 to 400.")
    notes: str | None = strawberry.field(default=None, description="Up to 500 characters. Null: none.")
    recorded_at: datetime | None = strawberry.field(
        default=None, description="When it was measured, not in the future. Null: now."
    )
    local_date: date | None = strawberry.field(
        default=None,
        description="The calendar day that it counts for, where the person's clock was another then, as in an import: the moment's, by"
        " some clock on Earth. Null: the day by the person's clock as it is now.",
    )
    id: strawberry.ID | None = client_made_id(NodeKind.MEASUREMENT)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="Which measurement to take back.")
class DeleteMeasurementInput:
    id: strawberry.ID = strawberry.field(description="The measurement's id.")


@strawberry.type(description="What came of logging a measurement.")
class LogMeasurementPayload(Payload):
    measurement: Measurement | None = strawberry.field(
        default=None, description="The measurement as it was logged; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person, whose measurement it is now; null if it was refused."
    )


@strawberry.type(description="What came of taking a measurement back.")
class DeleteMeasurementPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that measurement; null if it was refused."
    )


@strawberry.type
class MeasurementMutation:
    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Log a measurement of the viewer. CONFLICT for more than there may be.",
    )
    async def log_measurement(self, info: Info, input: LogMeasurementInput) -> LogMeasurementPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        now = context.resources.now()
        new = commands.NewMeasurement(
            kind=input.kind,
            value_cm=decimal_of(input.value_cm, 2),
            recorded_at=input.recorded_at or now,
            notes=input.notes,
            local_date=input.local_date,
            request=request_key(input),
        )
        record = await commands.log_measurement(context.viewer, new, database=context.resources.database, now=now)
        context.renew_loaders()
        return LogMeasurementPayload(measurement=measurement_node(record), user=await load_viewer(info))

    @mutation(
        key_scope=KeyScope.WRITE_BODY,
        description="Take one of the viewer's measurements back. NOT_FOUND where there is none.",
    )
    async def delete_measurement(self, info: Info, input: DeleteMeasurementInput) -> DeleteMeasurementPayload | None:
        from subgraphs.users.api.user import load_viewer

        context = info.context
        resources = context.resources
        await commands.delete_measurement(context.viewer, input.id, database=resources.database, now=resources.now())
        context.renew_loaders()
        return DeleteMeasurementPayload(deleted_id=input.id, user=await load_viewer(info))
