// A day's meals, and adding to them. The answer of every write brings the whole day, so nothing is asked again.
import { useMutation, useQuery } from "@apollo/client/react";
import { Answer } from "./Answer";
import { addDays, clock, count, kcal, longDate, title } from "./format";
import { FoodPicker } from "./FoodPicker";
import { DaysLiveDocument, DeleteMealDocument, DiaryDocument, type DiaryPageFragment, type MealCardFragment } from "./graph.generated";
import { useLive } from "./live";
import { linkTo } from "./route";
import { Waiting } from "./Shell";
import { Basis, MacroCard } from "./Today";

export const SLOTS = ["BREAKFAST", "LUNCH", "DINNER", "SNACK"] as const;

/** `date` null: today, by the person's own time zone and start of the day. */
export function Diary({ date }: { date: string | null }) {
  const diary = useQuery(DiaryDocument, { variables: { date }, fetchPolicy: "cache-and-network" });
  useLive(DaysLiveDocument, {});
  return (
    <Answer of={diary}>
      {({ me }) => {
        const isToday = me.diaryDay.date === me.today.date; // also where an arrow has led back to it
        return (
          <>
            <DateLine day={me.diaryDay} isToday={isToday} />
            <div className="columns">
              <div>
                <Meals day={me.diaryDay} />
                <Waiting kinds={["meal", "food"]} />
              </div>
              <div>
                <FoodPicker date={isToday ? null : me.diaryDay.date} recent={me.recentFoods.nodes.map((each) => each.food)} />
                <MacroCard totals={me.diaryDay.totals} target={me.diaryDay.target ?? me.suggestedTarget} />
              </div>
            </div>
          </>
        );
      }}
    </Answer>
  );
}

function DateLine({ day, isToday }: { day: DiaryPageFragment; isToday: boolean }) {
  return (
    <div className="date-line">
      <h1>
        Diary <small>{longDate(day.date)}</small>
      </h1>
      <a className="button" href={linkTo("diary", addDays(day.date, -1))} aria-label="The day before">
        ‹
      </a>
      <a className="button" href={linkTo("diary")} aria-current={isToday ? "date" : undefined}>
        Today
      </a>
      <a className="button" href={linkTo("diary", addDays(day.date, 1))} aria-label="The day after">
        ›
      </a>
    </div>
  );
}

function Meals({ day }: { day: DiaryPageFragment }) {
  return (
    <>
      <p className="figure">
        <strong data-testid="total">{count(day.totals.energyKcal)}</strong> kcal eaten
        {day.target && ` of ${kcal(day.target.energyKcal)}`}
      </p>
      {day.target && <Basis of={day.target} />}
      {SLOTS.map((slot) => {
        const meals = day.meals.filter((each) => each.slot === slot);
        if (meals.length === 0) return null;
        return (
          <section className="card" key={slot} aria-label={title(slot)}>
            <h2>{title(slot)}</h2>
            {meals.map((meal) => (
              <MealLines key={meal.id} meal={meal} />
            ))}
          </section>
        );
      })}
      {day.meals.length === 0 && <p className="empty">Nothing eaten yet.</p>}
    </>
  );
}

function MealLines({ meal }: { meal: MealCardFragment }) {
  const [remove, { loading, error }] = useMutation(DeleteMealDocument, { variables: { input: { id: meal.id } } });
  return (
    <div className="meal">
      <ul className="lines">
        {meal.items.map((item, index) => (
          <li key={index}>
            <span>{item.foodName}</span>
            <small>
              {count(item.grams)} g, {kcal(item.nutrients.energyKcal)}
            </small>
          </li>
        ))}
      </ul>
      <p className="meal-foot">
        <small>
          {clock(meal.at)}, {kcal(meal.totals.energyKcal)}
        </small>
        <button className="quiet" disabled={loading} onClick={() => void remove().catch(() => undefined)}>
          Remove
        </button>
      </p>
      {error && <p role="alert">It could not be removed: {error.message}</p>}
    </div>
  );
}
