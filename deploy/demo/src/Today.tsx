// The day at a glance: one query over four subgraphs, and every change of the day by one subscription.
import { useQuery } from "@apollo/client/react";
import { Answer } from "./Answer";
import { Bar, Ring } from "./charts";
import { count, kcal, kilograms, longDate, minutes, shortDate } from "./format";
import { DaysLiveDocument, TodayDocument, type MacrosFragment, type TargetFragment, type TodayQuery } from "./graph.generated";
import { useLive } from "./live";
import { write } from "./outbox";
import { linkTo } from "./route";
import { Waiting } from "./Shell";

const GLASS_ML = 250;

export function Today() {
  const today = useQuery(TodayDocument, { fetchPolicy: "cache-and-network" });
  useLive(DaysLiveDocument, {});
  return <Answer of={today}>{(data) => <Day me={data.me} />}</Answer>;
}

function Day({ me }: { me: TodayQuery["me"] }) {
  const { day, diaryDay } = me;
  const target = diaryDay.target ?? me.suggestedTarget;
  return (
    <>
      <h1>
        Today <small>{longDate(day.date)}</small>
      </h1>
      <div className="grid-cards">
        <EnergyCard eaten={diaryDay.totals.energyKcal} burned={day.caloriesBurned} target={target} />
        <MacroCard totals={diaryDay.totals} target={target} />
        <WaterCard drunkMl={diaryDay.waterMl} targetMl={target?.waterMl ?? null} />
        <TrainingCard me={me} />
        <section className="card" aria-label="Habits">
          <h2>Habits</h2>
          <dl className="numbers">
            <Number name="days in a row with meals" value={count(me.streaks.meals.current)} />
            <Number name="weeks in a row with three workouts" value={count(me.streaks.workouts.current)} />
            <Number name="steps" value={day.steps === null ? "–" : count(day.steps)} />
            <Number name="weight" value={me.currentWeight ? kilograms(me.currentWeight.weightKg) : "–"} />
          </dl>
        </section>
      </div>
    </>
  );
}

export function Number({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function EnergyCard({ eaten, burned, target }: { eaten: number; burned: number; target: TargetFragment | null }) {
  const left = target ? target.energyKcal - eaten : null;
  return (
    <section className="card energy-card" aria-label="Energy">
      <Ring value={eaten} target={target?.energyKcal ?? null} color="--energy" label="Energy eaten" unit="kcal" size="large">
        <strong data-testid="eaten">{count(eaten)}</strong>
        <span>{target ? `of ${kcal(target.energyKcal)}` : "kcal eaten"}</span>
      </Ring>
      <dl className="numbers">
        {left !== null && <Number name={left >= 0 ? "left to eat" : "over the target"} value={kcal(Math.abs(left))} />}
        <Number name="burned by training" value={kcal(burned)} />
      </dl>
      {target && <Basis of={target} />}
    </section>
  );
}

/** Why the target is another than on other days; nothing where it is the usual one. */
export function Basis({ of }: { of: TargetFragment }) {
  if (of.basis === "USUAL") return null;
  return <p className="basis">{of.basis === "TRAINING_DAY" ? "Target of a training day" : "Target of this weekday"}</p>;
}

export function MacroCard({ totals, target }: { totals: MacrosFragment; target: TargetFragment | null }) {
  const macros = [
    { name: "Protein", value: totals.proteinG, of: target?.proteinG ?? null, color: "--protein" },
    { name: "Carbs", value: totals.carbsG, of: target?.carbsG ?? null, color: "--carbs" },
    { name: "Fat", value: totals.fatG, of: target?.fatG ?? null, color: "--fat" },
  ];
  return (
    <section className="card" aria-label="Macros">
      <h2>Macros</h2>
      <div className="macros">
        {macros.map(({ name, value, of, color }) => (
          <figure key={name}>
            <Ring value={value} target={of} color={color} label={name} unit="g" size="small">
              <strong>{count(value)}</strong>
              <span>g</span>
            </Ring>
            <figcaption>
              {name}
              <small>{of ? `of ${count(of)} g` : "no target"}</small>
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

function WaterCard({ drunkMl, targetMl }: { drunkMl: number; targetMl: number | null }) {
  const drink = () => write("water", { amountMl: GLASS_ML, at: new Date().toISOString() }, `A glass of water, ${GLASS_ML} ml`);
  return (
    <section className="card" aria-label="Water">
      <h2>Water</h2>
      <p className="figure">
        <strong data-testid="water">{count(drunkMl)}</strong> {targetMl ? `of ${count(targetMl)} ml` : "ml"}
      </p>
      <Bar value={drunkMl} target={targetMl ?? 2000} color="--water" />
      <button onClick={drink}>Drink a glass</button>
      <Waiting kinds={["water"]} />
    </section>
  );
}

function TrainingCard({ me }: { me: TodayQuery["me"] }) {
  const done = me.workouts.nodes;
  return (
    <section className="card" aria-label="Training">
      <h2>Training</h2>
      {me.activeWorkout && (
        <p>
          <a href={linkTo("workout")}>{me.activeWorkout.name} is under way</a>
        </p>
      )}
      <ul className="lines">
        {done.map((each) => (
          <li key={each.id}>
            <span>{each.name}</span>
            <small>
              {[
                each.localDate === me.day.date ? "" : shortDate(each.localDate),
                each.durationMinutes === null ? "" : minutes(each.durationMinutes),
                each.caloriesBurned?.kcal ? kcal(each.caloriesBurned.kcal) : "",
              ]
                .filter(Boolean)
                .join(", ")}
            </small>
          </li>
        ))}
      </ul>
      {done.length === 0 && !me.activeWorkout && <p className="empty">No workout yet.</p>}
    </section>
  );
}
