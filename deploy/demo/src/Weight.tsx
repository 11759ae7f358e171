// Weighings, the trend that analytics draws through them, and the goal that it runs towards.
import { useQuery } from "@apollo/client/react";
import { useMemo, useState, type FormEvent } from "react";
import { Answer } from "./Answer";
import { WeightChart } from "./charts";
import { addDays, deviceDay, kilograms, shortDate, signed } from "./format";
import { WeightDocument, WeightLiveDocument, type WeightQuery } from "./graph.generated";
import { useLive } from "./live";
import { write } from "./outbox";
import { Waiting } from "./Shell";
import { Number as Figure } from "./Today";

const DAYS = 90;

export function Weight() {
  const from = useMemo(() => addDays(deviceDay(), -DAYS), []);
  const weight = useQuery(WeightDocument, { variables: { from }, fetchPolicy: "cache-and-network" });
  useLive(WeightLiveDocument, { from });
  return <Answer of={weight}>{(data) => <Trend me={data.me} />}</Answer>;
}

function Trend({ me }: { me: WeightQuery["me"] }) {
  const goal = me.goals.nodes.find((each) => each.kind === "WEIGHT_KG");
  const goalKg = goal?.targetValue ?? me.profile.targetWeightKg;
  const first = me.weightTrend[0];
  const last = me.weightTrend.at(-1);
  return (
    <>
      <h1>Weight</h1>
      <section className="card" aria-label="Trend of the weight">
        <WeightChart points={me.weightTrend} goalKg={goalKg} />
        <dl className="numbers">
          {me.currentWeight && <Figure name={`weighed on ${shortDate(me.currentWeight.localDate)}`} value={kilograms(me.currentWeight.weightKg)} />}
          {last && <Figure name="trend" value={kilograms(last.trendKg)} />}
          {first && last && <Figure name={`since ${shortDate(first.date)}`} value={`${signed(last.trendKg - first.trendKg)} kg`} />}
          {goalKg !== null && last && <Figure name="to the goal" value={`${signed(goalKg - last.trendKg)} kg`} />}
          {goal?.projection?.reachedOn && <Figure name="reached, at this pace" value={shortDate(goal.projection.reachedOn)} />}
        </dl>
      </section>
      <Scale usual={me.currentWeight?.weightKg ?? 70} />
    </>
  );
}

function Scale({ usual }: { usual: number }) {
  const [kg, setKg] = useState(String(usual));
  function weigh(event: FormEvent) {
    event.preventDefault();
    write("weight", { weightKg: Number(kg), recordedAt: new Date().toISOString() }, `Weighed ${kg} kg`);
  }
  return (
    <form className="card amount" onSubmit={weigh}>
      <h2>On the scale</h2>
      <label>
        Weight, kg
        <input type="number" min="20" max="500" step="0.1" required value={kg} onChange={(event) => setKg(event.target.value)} />
      </label>
      <button className="primary">Save</button>
      <Waiting kinds={["weight"]} />
    </form>
  );
}
