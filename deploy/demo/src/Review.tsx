// What a week was beside the week before it, by its days that are over, and what the person has achieved.
import { count, dateWithYear, signed } from "./format";
import type { AchievementKind, MeasuredFragment, Trend, WeekReviewFragment } from "./graph.generated";

const ACHIEVEMENTS: Record<AchievementKind, string> = {
  FIRST_MEAL: "First meal written down",
  MEALS_7_DAYS: "7 days in a row with a meal",
  MEALS_30_DAYS: "30 days in a row with a meal",
  MEALS_100_DAYS: "100 days in a row with a meal",
  MEALS_365_DAYS: "365 days in a row with a meal",
  FIRST_WORKOUT: "First workout",
  WORKOUTS_10: "10 workouts",
  WORKOUTS_50: "50 workouts",
  WORKOUTS_100: "100 workouts",
  VOLUME_5000_KG: "5,000 kg lifted",
  VOLUME_25000_KG: "25,000 kg lifted",
  VOLUME_100000_KG: "100,000 kg lifted",
  VOLUME_500000_KG: "500,000 kg lifted",
  VOLUME_1000000_KG: "A million kg lifted",
  VOLUME_5000000_KG: "5 million kg lifted",
  VOLUME_10000000_KG: "10 million kg lifted",
  WEEKEND_WORKOUTS_25: "25 workouts at weekends",
  EARLY_WORKOUTS_25: "25 workouts before 06:00",
  LATE_WORKOUTS_25: "25 workouts after 23:00",
  FIRST_RECORD: "First personal record",
  RECORDS_10: "10 personal records",
  RECORDS_100: "100 personal records",
  NEW_YEARS_DAY: "A workout on New Year's day",
  COMEBACK: "Back after 30 days",
  FIRST_GOAL_REACHED: "First weight goal reached",
};
const TRENDS: Record<Trend, string> = { RISING: "more", FALLING: "less", STEADY: "steady" };

export function Comparison({ report }: { report: WeekReviewFragment["weekReport"] }) {
  return (
    <section className="card" aria-label="Compared with the week before">
      <h2>Compared with the week before</h2>
      {report.fullDays === 0 ? (
        <p className="empty">No day of this week is over yet.</p>
      ) : (
        <>
          <table>
            <thead>
              <tr>
                <th scope="col">A day</th>
                <th scope="col">The week</th>
                <th scope="col">Before</th>
                <th scope="col">Change</th>
              </tr>
            </thead>
            <tbody>
              <Measure name="Eaten, kcal" of={report.energyKcal} />
              <Measure name="Protein, g" of={report.proteinG} />
              <Measure name="Water, ml" of={report.waterMl} />
              <Measure name="In motion, min" of={report.activeMinutes} />
              <Measure name="Lifted, kg" of={report.volumeKg} />
              {report.weight && (
                <tr>
                  <th scope="row">Trend weight, kg</th>
                  <td>{signed(report.weight.changeKg)}</td>
                  <td>{report.weight.changeKgBefore === null ? "–" : signed(report.weight.changeKgBefore)}</td>
                  <td>{report.weight.trend === null ? "–" : TRENDS[report.weight.trend]}</td>
                </tr>
              )}
            </tbody>
          </table>
          {report.insights.length > 0 && (
            <ul aria-label="What the week shows">
              {report.insights.map((each) => (
                <li key={each.id}>{each.text}</li>
              ))}
            </ul>
          )}
          <p className="empty">
            Days that are over and have entries: {report.daysWithEntries} of {report.fullDays}.
          </p>
        </>
      )}
    </section>
  );
}

function Measure({ name, of }: { name: string; of: MeasuredFragment }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{of.dailyMean === null ? "–" : count(of.dailyMean)}</td>
      <td>{of.dailyMeanBefore === null ? "–" : count(of.dailyMeanBefore)}</td>
      <td>{change(of)}</td>
    </tr>
  );
}

/** "+12.5 %", or "steady"; a dash where the graph says that too few days count for a comparison. */
function change({ trend, changePercent }: MeasuredFragment): string {
  if (trend === null) return "–";
  return trend === "STEADY" || changePercent === null ? TRENDS[trend] : `${signed(changePercent)} %`;
}

export function Achievements({ of, onTheWay }: { of: WeekReviewFragment["achievements"]["nodes"]; onTheWay: WeekReviewFragment["achievementProgress"] }) {
  const next = onTheWay
    .filter((each) => each.share > 0 && each.share < 1)
    .sort((one, other) => other.share - one.share)
    .slice(0, 3);
  return (
    <section className="card" aria-label="Achievements">
      <h2>Achievements</h2>
      {of.length === 0 && <p className="empty">The first meal or workout will be the first of them.</p>}
      <ul className="lines">
        {of.map((each) => (
          <li key={each.id}>
            <span>{ACHIEVEMENTS[each.kind]}</span>
            <small>{dateWithYear(each.reachedOn)}</small>
          </li>
        ))}
      </ul>
      {next.length > 0 && <h3>On the way</h3>}
      <ul className="lines">
        {next.map((each) => (
          <li key={each.id}>
            <span>{ACHIEVEMENTS[each.kind]}</span>
            <small>
              {count(each.value)} of {count(each.target)}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}
