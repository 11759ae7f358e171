// One week as analytics sums it up, beside the week before, and every day of it as it changes.
import { useQuery } from "@apollo/client/react";
import { Answer } from "./Answer";
import { WeekChart, type WeekDay } from "./charts";
import { addDays, count, kcal, minutes, shortDate, signed, weekday } from "./format";
import { WeekLiveDocument, WeekReportDocument, type WeekNumbersFragment, type WeekReportQuery } from "./graph.generated";
import { useLive } from "./live";
import { Achievements, Comparison } from "./Review";
import { linkTo } from "./route";
import { Number as Figure } from "./Today";

/** `start` null: the week of today. */
export function Week({ start }: { start: string | null }) {
  const week = useQuery(WeekReportDocument, { variables: { start }, fetchPolicy: "cache-and-network" });
  useLive(WeekLiveDocument, { start });
  return <Answer of={week}>{(data) => <Report me={data.me} isThisWeek={start === null} />}</Answer>;
}

function Report({ me, isThisWeek }: { me: WeekReportQuery["me"]; isThisWeek: boolean }) {
  const { week, streaks } = me;
  const target = me.nutritionTarget ?? me.suggestedTarget;
  return (
    <>
      <div className="date-line">
        <h1>
          Week{" "}
          <small>
            {shortDate(week.first)} to {shortDate(week.last)}
          </small>
        </h1>
        <a className="button" href={linkTo("week", addDays(week.first, -7))} aria-label="The week before">
          ‹
        </a>
        <a className="button" href={linkTo("week")} aria-current={isThisWeek ? "date" : undefined}>
          This week
        </a>
        <a className="button" href={linkTo("week", addDays(week.first, 7))} aria-label="The week after">
          ›
        </a>
      </div>
      <section className="card" aria-label="Energy by day">
        <WeekChart
          days={sevenDays(week)}
          targetKcal={target?.energyKcal ?? null}
        />
        <p className="legend">
          <span className="key-eaten">eaten</span>
          <span className="key-burned">burned by training</span>
          {target && <span className="key-goal">target, {kcal(target.energyKcal)}</span>}
        </p>
      </section>
      <section className="card" aria-label="The week in numbers">
        <dl className="numbers">
          <Figure name={`eaten a day, mean of ${week.daysLogged} with meals`} value={week.meanDailyCalories === null ? "–" : kcal(week.meanDailyCalories)} />
          <Figure name="meals" value={count(week.mealsLogged)} />
          <Figure name="workouts" value={count(week.workoutsCompleted)} />
          <Figure name="in motion" value={minutes(week.workoutMinutes)} />
          <Figure name="burned by training" value={kcal(week.caloriesBurned)} />
          <Figure name="weight" value={week.weightChangeKg === null ? "–" : `${signed(week.weightChangeKg)} kg`} />
          <Figure name={`days in a row with meals, the longest ${streaks.meals.longest}`} value={count(streaks.meals.current)} />
        </dl>
      </section>
      <Comparison report={me.weekReport} />
      <section className="card" aria-label="Days">
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Eaten</th>
              <th scope="col">Burned</th>
              <th scope="col">Protein</th>
              <th scope="col">Water</th>
            </tr>
          </thead>
          <tbody>
            {week.days.map((each) => (
              <tr key={each.id}>
                <th scope="row">
                  <a href={linkTo("diary", each.date)}>
                    {weekday(each.date)} {shortDate(each.date)}
                  </a>
                </th>
                <td>{count(each.caloriesConsumed)}</td>
                <td>{count(each.caloriesBurned)}</td>
                <td>{count(each.proteinG)} g</td>
                <td>{count(each.waterMl)} ml</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Achievements of={me.achievements.nodes} onTheWay={me.achievementProgress} />
    </>
  );
}

/** Of the whole week: analytics has only days on which something was written down. */
function sevenDays(week: WeekNumbersFragment): WeekDay[] {
  return Array.from({ length: 7 }, (_, index) => {
    const date = addDays(week.first, index);
    const day = week.days.find((each) => each.date === date);
    return { date, eaten: day?.caloriesConsumed ?? 0, burned: day?.caloriesBurned ?? 0 };
  });
}
