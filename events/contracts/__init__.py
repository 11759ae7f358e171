"""Every event that may travel, by name. Writers import the class; `upcast` looks it up for readers."""

from events.contracts import analytics, nutrition, users, workouts
from events.envelope import Payload

CONTRACTS: tuple[type[Payload], ...] = (
    users.UserRegistered,
    users.ProfileChanged,
    users.SettingsChanged,
    users.StatusChanged,
    users.UserErased,
    users.SessionEnded,
    users.AccessGranted,
    users.AccessEnded,
    users.WeightLogged,
    users.WeightEdited,
    users.WeightDeleted,
    nutrition.MealLogged,
    nutrition.MealUpdated,
    nutrition.MealDeleted,
    nutrition.WaterLogged,
    nutrition.WaterDeleted,
    nutrition.TargetChanged,
    nutrition.MealsPlanned,
    nutrition.FoodUpserted,
    nutrition.FoodRetired,
    workouts.WorkoutStarted,
    workouts.SetLogged,
    workouts.SetEdited,
    workouts.SetRemoved,
    workouts.WorkoutCompleted,
    workouts.WorkoutEdited,
    workouts.WorkoutCancelled,
    workouts.WorkoutDeleted,
    workouts.TrainingPlanned,
    workouts.TemplateModerated,
    analytics.DailySummaryChanged,
    analytics.GoalProgressed,
    analytics.GoalCompleted,
    analytics.AchievementUnlocked,
    analytics.GoalPlanned,
)

CONTRACT_BY_TYPE: dict[str, type[Payload]] = {contract.__name__: contract for contract in CONTRACTS}
