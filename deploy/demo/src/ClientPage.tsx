// A person who lets the viewer read: their days, and what the viewer plans for them.
import { useMutation, useQuery } from "@apollo/client/react";
import { useEffect, useMemo, useState, type FormEvent } from "react";
import { Answer } from "./Answer";
import { useAttempt } from "./attempt";
import { SLOTS } from "./Diary";
import { addDays, count, deviceDay, kcal, kilograms, longDate, minutes, shortDate, title, weekday, words } from "./format";
import {
  ApplyMealPlanDocument,
  ClientDocument,
  CoachingDocument,
  CreateMealPlanDocument,
  PlanForClientDocument,
  type ClientQuery,
  type GrantLineFragment,
  type MealSlot,
} from "./graph.generated";
import { newKey } from "./outbox";
import { linkTo } from "./route";

type Person = NonNullable<ClientQuery["user"]>;
const DAYS = 14;
/** Subgraphs hear of a grant within seconds; until then what it opens is shut. */
const ASK_AGAIN_MS = 1500;
const AGAIN = { refetchQueries: [ClientDocument], awaitRefetchQueries: true };

export function ClientPage({ id }: { id: string }) {
  const coaching = useQuery(CoachingDocument, { fetchPolicy: "cache-and-network" });
  return (
    <Answer of={coaching}>
      {({ me }) => {
        const grant = me.clients.nodes.find((each) => each.person?.id === id);
        return grant ? <Open id={id} grant={grant} /> : <p className="empty">This person lets you read nothing.</p>;
      }}
    </Answer>
  );
}

function Open({ id, grant }: { id: string; grant: GrantLineFragment }) {
  const from = useMemo(() => addDays(deviceDay(), 1 - DAYS), []);
  const [body, diary, training, progress] = (["BODY", "DIARY", "TRAINING", "PROGRESS"] as const).map((area) => grant.areas.includes(area));
  const client = useQuery(ClientDocument, {
    variables: { id, from, body: !!body, diary: !!diary, training: !!training, progress: !!progress },
    fetchPolicy: "cache-and-network",
    errorPolicy: "all",
  });
  const isShut = client.error !== undefined;
  const { startPolling, stopPolling } = client;
  useEffect(() => {
    if (isShut) startPolling(ASK_AGAIN_MS);
    return stopPolling;
  }, [isShut, startPolling, stopPolling]);
  const person = client.data?.user;
  return (
    <>
      <div className="date-line">
        <h1>
          {grant.ownerName}
          <small>
            <a href={linkTo("coaching")}>Coaching</a>
          </small>
        </h1>
      </div>
      {isShut && <p role="status" className="empty">Not everything is open yet.</p>}
      {person && (
        <div className="columns">
          <div>
            <Numbers person={person} />
            {person.days && <Days days={person.days.nodes} />}
            {person.diaryDay && <Meals day={person.diaryDay} />}
          </div>
          <div>
            {person.plannedWorkouts && <Training id={id} planned={person.plannedWorkouts.nodes} mayPlan={grant.plans.includes("TRAINING")} />}
            {person.mealPlans && <MealPlans id={id} plans={person.mealPlans.nodes} mayPlan={grant.plans.includes("MEALS")} />}
          </div>
        </div>
      )}
    </>
  );
}

function Numbers({ person }: { person: Person }) {
  if (!person.currentWeight) return null;
  return (
    <section className="card" aria-label="Weight">
      <p className="figure">
        <strong>{kilograms(person.currentWeight.weightKg)}</strong> on {shortDate(person.currentWeight.localDate)}
      </p>
    </section>
  );
}

function Days({ days }: { days: readonly NonNullable<Person["days"]>["nodes"][number][] }) {
  return (
    <section className="card" aria-label="Days">
      <h2>Days</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Eaten</th>
            <th scope="col">Protein</th>
            <th scope="col">Trained</th>
          </tr>
        </thead>
        <tbody>
          {days.map((each) => (
            <tr key={each.id}>
              <th scope="row">
                {weekday(each.date)} {shortDate(each.date)}
              </th>
              <td>{count(each.caloriesConsumed)}</td>
              <td>{count(each.proteinG)} g</td>
              <td>{each.workoutMinutes ? minutes(each.workoutMinutes) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {days.length === 0 && <p className="empty">Nothing in the last {DAYS} days.</p>}
    </section>
  );
}

function Meals({ day }: { day: NonNullable<Person["diaryDay"]> }) {
  return (
    <section className="card" aria-label="Diary">
      <h2>{longDate(day.date)}</h2>
      <ul className="lines">
        {day.meals.map((each) => (
          <li key={each.id}>
            <span>{title(each.slot)}</span>
            <small>{kcal(each.totals.energyKcal)}</small>
          </li>
        ))}
      </ul>
      {day.meals.length === 0 && <p className="empty">No meal yet.</p>}
    </section>
  );
}

interface Planning {
  id: string;
  mayPlan: boolean;
}

function Training({ id, planned, mayPlan }: Planning & { planned: readonly NonNullable<Person["plannedWorkouts"]>["nodes"][number][] }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [plan] = useMutation(PlanForClientDocument, AGAIN);
  const [name, setName] = useState("");
  const [date, setDate] = useState(() => addDays(deviceDay(), 1));
  const [length, setLength] = useState("45");

  async function send(event: FormEvent) {
    event.preventDefault();
    const input = { personId: id, name, date, minutes: Number(length), idempotencyKey: newKey() };
    if (await attempt(async () => (await plan({ variables: { input } })).data?.planWorkout)) setName("");
  }

  return (
    <section className="card" aria-label="Training">
      <h2>Planned training</h2>
      <ul className="lines">
        {planned.map((each) => (
          <li key={each.id}>
            <span>
              {each.name} <small>{each.minutes === null ? "" : minutes(each.minutes)}</small>
            </span>
            <small>
              {shortDate(each.date)}, {words(each.status)}
            </small>
          </li>
        ))}
      </ul>
      {planned.length === 0 && <p className="empty">Nothing is planned.</p>}
      {mayPlan && (
        <form onSubmit={(event) => void send(event)}>
          <h3>Plan a workout</h3>
          <label>
            What
            <input required maxLength={255} placeholder="Legs" value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <div className="fields">
            <label>
              Day
              <input type="date" required value={date} onChange={(event) => setDate(event.target.value)} />
            </label>
            <label>
              Minutes
              <input type="number" min="1" max="600" required value={length} onChange={(event) => setLength(event.target.value)} />
            </label>
          </div>
          <button className="primary" disabled={isBusy}>
            Plan the workout
          </button>
          {complaint && <p role="alert">{complaint}</p>}
        </form>
      )}
    </section>
  );
}

function MealPlans({ id, plans, mayPlan }: Planning & { plans: readonly NonNullable<Person["mealPlans"]>["nodes"][number][] }) {
  return (
    <section className="card" aria-label="Meal plans">
      <h2>Plans of meals</h2>
      <ul className="lines">
        {plans.map((each) => (
          <li key={each.id}>
            <span>{each.name}</span>
            <small>
              {each.days.length === 1 ? "one day" : `${each.days.length} days`}, {each.days.map((day) => count(day.totals.energyKcal)).join(", ")} kcal
            </small>
          </li>
        ))}
      </ul>
      {plans.length === 0 && <p className="empty">There is none.</p>}
      {mayPlan && <NewMealPlan id={id} />}
    </section>
  );
}

interface Dish {
  slot: MealSlot;
  name: string;
  energyKcal: string;
}

/** A day of meals by their energy, put on a day of the client's. */
function NewMealPlan({ id }: { id: string }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [create] = useMutation(CreateMealPlanDocument);
  const [apply] = useMutation(ApplyMealPlanDocument, AGAIN);
  const [name, setName] = useState("");
  const [from, setFrom] = useState(() => addDays(deviceDay(), 1));
  const [dishes, setDishes] = useState<readonly Dish[]>(() => SLOTS.slice(0, 3).map((slot) => ({ slot, name: "", energyKcal: "" })));
  const [told, setTold] = useState<string | null>(null);
  const edit = (slot: MealSlot, change: Partial<Dish>) =>
    setDishes(dishes.map((each) => (each.slot === slot ? { ...each, ...change } : each)));

  async function send(event: FormEvent) {
    event.preventDefault();
    setTold(null);
    const meals = dishes
      .filter((each) => each.energyKcal)
      .map((each) => ({ slot: each.slot, quickAdds: [{ name: each.name || null, energyKcal: Number(each.energyKcal) }] }));
    const done = await attempt(async () => {
      const input = { personId: id, name, days: [{ meals }], idempotencyKey: newKey() };
      const created = (await create({ variables: { input } })).data?.createMealPlan;
      if (!created?.mealPlan) return created;
      return (await apply({ variables: { input: { id: created.mealPlan.id, from } } })).data?.applyMealPlan;
    });
    if (done) {
      setTold(`${name} is planned for ${shortDate(from)}.`);
      setName("");
    }
  }

  return (
    <form onSubmit={(event) => void send(event)}>
      <h3>Plan a day of meals</h3>
      <div className="fields">
        <label>
          Name
          <input required maxLength={100} placeholder="Training day" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label>
          Put on
          <input type="date" required value={from} onChange={(event) => setFrom(event.target.value)} />
        </label>
      </div>
      {dishes.map((each) => (
        <div className="fields" key={each.slot}>
          <label>
            {title(each.slot)}
            <input maxLength={100} placeholder="What" value={each.name} onChange={(event) => edit(each.slot, { name: event.target.value })} />
          </label>
          <label>
            {title(each.slot)}, kcal
            <input
              type="number"
              min="1"
              max="5000"
              required={each.name !== ""}
              value={each.energyKcal}
              onChange={(event) => edit(each.slot, { energyKcal: event.target.value })}
            />
          </label>
        </div>
      ))}
      <button className="primary" disabled={isBusy || dishes.every((each) => !each.energyKcal)}>
        Plan the meals
      </button>
      {told && <p role="status">{told}</p>}
      {complaint && <p role="alert">{complaint}</p>}
    </form>
  );
}
