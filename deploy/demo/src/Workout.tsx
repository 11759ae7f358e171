// The workout under way, on however many devices: each set arrives by the subscription, whoever logged it.
import { useMutation, useQuery } from "@apollo/client/react";
import { useEffect, useState, type FormEvent } from "react";
import { Answer } from "./Answer";
import { HeartLine } from "./charts";
import { client } from "./client";
import { addDays, clock, count, deviceDay, kcal, longDate, minutes, shortDate, tenths, words } from "./format";
import {
  CompleteWorkoutDocument,
  DeleteSetDocument,
  ExerciseSearchDocument,
  ExtendRestDocument,
  PauseWorkoutDocument,
  ResumeWorkoutDocument,
  SkipRestDocument,
  StartPlannedWorkoutDocument,
  StartRestDocument,
  TrainingDocument,
  WorkoutLiveDocument,
  type ExerciseTracking,
  type TrainingQuery,
  type WorkoutCardFragment,
  type WorkoutLineFragment,
} from "./graph.generated";
import { useLive } from "./live";
import { write } from "./outbox";
import { useSettled } from "./settled";
import { Waiting } from "./Shell";

const LOOK_FOR_ANOTHER_DEVICES_MS = 5_000;
const DAYS_AHEAD = 6;
const REST_SECONDS = 90;
const MORE_REST_SECONDS = 30;

interface Exercise {
  id: string;
  name: string;
  tracking: ExerciseTracking;
  instructions: string | null;
}

export function Training() {
  const [from] = useState(deviceDay);
  const variables = { from, to: addDays(from, DAYS_AHEAD) };
  const training = useQuery(TrainingDocument, { variables, fetchPolicy: "cache-and-network" });
  const active = training.data?.me.activeWorkout;
  // no subscription tells of a workout that begins elsewhere; while none is under way, asking does
  useQuery(TrainingDocument, { variables, skip: Boolean(active), pollInterval: LOOK_FOR_ANOTHER_DEVICES_MS, fetchPolicy: "network-only" });
  return (
    <Answer of={training}>
      {({ me }) => (
        <>
          {me.activeWorkout ? <Live workout={me.activeWorkout} /> : <Start />}
          {!me.activeWorkout && <Planned days={me.trainingCalendar} />}
          <Done workouts={me.workouts.nodes} />
        </>
      )}
    </Answer>
  );
}

function Start() {
  const [name, setName] = useState("Strength");
  function start(event: FormEvent) {
    event.preventDefault();
    write("workout", { name, startedAt: new Date().toISOString() }, `Start of ${name}`);
  }
  return (
    <>
      <h1>Workout</h1>
      <form className="card" onSubmit={start}>
        <label>
          What is it today?
          <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <button className="primary">Start</button>
        <Waiting kinds={["workout"]} />
      </form>
    </>
  );
}

type PlannedDay = TrainingQuery["me"]["trainingCalendar"][number];

/** What is planned for the days to come; each can be begun, whatever day it is for. */
function Planned({ days }: { days: readonly PlannedDay[] }) {
  const [begin, { loading, error }] = useMutation(StartPlannedWorkoutDocument, { refetchQueries: [TrainingDocument] });
  const planned = days.flatMap(({ date, planned: those }) => those.map((each) => ({ date, ...each })));
  const open = planned.filter((each) => each.status === "PLANNED");
  if (open.length === 0) return null;
  return (
    <section className="card" aria-label="Planned">
      <h2>Planned</h2>
      <ul className="lines">
        {open.map((each) => (
          <li key={each.id}>
            <span>{each.name}</span>
            <small>
              {longDate(each.date)}
              {each.timeOfDay !== null && `, ${each.timeOfDay}`}
              {each.minutes !== null && `, ${minutes(each.minutes)}`}
            </small>
            <button
              className="quiet"
              disabled={loading}
              onClick={() => void begin({ variables: { input: { id: each.id } } }).catch(() => undefined)}
            >
              Begin
            </button>
          </li>
        ))}
      </ul>
      {error && <p role="alert">It could not be begun: {error.message}</p>}
    </section>
  );
}

/** The rest after a set, as every device of the session is told of it; each counts down by itself. */
function Rest({ workout }: { workout: WorkoutCardFragment }) {
  const left = useSecondsUntil(workout.rest?.endsAt);
  const [start] = useMutation(StartRestDocument, { variables: { input: { workoutId: workout.id, seconds: REST_SECONDS } } });
  const [extend] = useMutation(ExtendRestDocument, { variables: { input: { workoutId: workout.id, seconds: MORE_REST_SECONDS } } });
  const [skip] = useMutation(SkipRestDocument, { variables: { input: { workoutId: workout.id } } });
  return (
    <section className="card" aria-label="Rest">
      <h2>Rest</h2>
      {left > 0 ? (
        <>
          <p className="figure" role="timer">
            <strong>
              {Math.floor(left / 60)}:{String(left % 60).padStart(2, "0")}
            </strong>
          </p>
          <button className="quiet" onClick={() => void extend().catch(() => undefined)}>
            {MORE_REST_SECONDS} s more
          </button>
          <button className="quiet" onClick={() => void skip().catch(() => undefined)}>
            Skip
          </button>
        </>
      ) : (
        <button className="quiet" onClick={() => void start().catch(() => undefined)}>
          Rest {REST_SECONDS} s
        </button>
      )}
    </section>
  );
}

/** The session stands still on every device: what passes counts neither as motion nor for energy. */
function Pause({ workout }: { workout: WorkoutCardFragment }) {
  const document = workout.isPaused ? ResumeWorkoutDocument : PauseWorkoutDocument;
  const [change, { loading, error }] = useMutation(document, { variables: { input: { id: workout.id } } });
  return (
    <>
      <button className="quiet" disabled={loading} onClick={() => void change().catch(() => undefined)}>
        {workout.isPaused ? "Go on" : "Pause"}
      </button>
      {error && <p role="alert">It could not be changed: {error.message}</p>}
    </>
  );
}

/** Whole seconds that are left until an instant, by this device's clock; 0 when it has passed, and without one. */
function useSecondsUntil(instant: string | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const tick = () => {
      const now = Date.now();
      setNow(now);
      if (instant === undefined || now >= Date.parse(instant)) clearInterval(ticking); // nothing counts down
    };
    const ticking = setInterval(tick, 500);
    tick();
    return () => clearInterval(ticking);
  }, [instant]);
  return instant === undefined ? 0 : Math.max(0, Math.ceil((Date.parse(instant) - now) / 1000));
}

function Live({ workout }: { workout: WorkoutCardFragment }) {
  useLive(WorkoutLiveDocument, { id: workout.id }, ({ workoutSession }) => {
    if (workoutSession.status !== "IN_PROGRESS") void client.refetchQueries({ include: [TrainingDocument] });
  });
  const [complete, { loading, error }] = useMutation(CompleteWorkoutDocument, {
    variables: { input: { id: workout.id } },
    refetchQueries: [TrainingDocument],
  });
  const sets = workout.exercises.reduce((sum, each) => sum + each.sets.length, 0);
  return (
    <>
      <h1>
        {workout.name} <small>
          since {clock(workout.startedAt)}
          {workout.isPaused && ", paused"}
        </small>
      </h1>
      <p className="figure">
        <strong data-testid="sets">{sets}</strong> sets, {count(workout.volumeKg)} kg moved
      </p>
      <div className="columns">
        <div>
          {workout.exercises.map((each) => (
            <section className="card" key={each.id} aria-label={each.exercise.name}>
              <h2>
                {each.exercise.name} <small>{each.plan && planInWords(each.plan)}</small>
              </h2>
              <ol className="lines">
                {each.sets.map((set) => (
                  <SetLine key={set.id} set={set} workoutId={workout.id} />
                ))}
              </ol>
            </section>
          ))}
          {sets === 0 && <p className="empty">No set yet. Open this page on another device too: both stay in step.</p>}
          <Waiting kinds={["set"]} />
        </div>
        <div>
          <Rest workout={workout} />
          <AddSet workoutId={workout.id} known={workout.exercises.map((each) => each.exercise)} />
          <Pause workout={workout} />
          <button className="primary" disabled={loading} onClick={() => void complete().catch(() => undefined)}>
            Finish the workout
          </button>
          {error && <p role="alert">It could not be finished: {error.message}</p>}
        </div>
      </div>
    </>
  );
}

type LoggedSet = WorkoutCardFragment["exercises"][number]["sets"][number];

function SetLine({ set, workoutId }: { set: LoggedSet; workoutId: string }) {
  const [remove, { loading }] = useMutation(DeleteSetDocument, { variables: { input: { workoutId, setId: set.id } } });
  return (
    <li>
      <span>{inWords(set)}</span>
      <button className="quiet" disabled={loading} onClick={() => void remove().catch(() => undefined)}>
        Remove
      </button>
    </li>
  );
}

type Plan = NonNullable<WorkoutCardFragment["exercises"][number]["plan"]>;

function planInWords({ sets, leastReps, mostReps, weightKg }: Plan): string {
  const reps = leastReps === mostReps ? mostReps : [leastReps, mostReps].filter((each) => each !== null).join("–");
  return `${sets} sets${reps ? ` of ${reps}` : ""}${weightKg === null ? "" : ` with ${tenths(weightKg)} kg`}`;
}

function inWords(set: LoggedSet): string {
  const said = [
    set.reps === null ? "" : set.weightKg === null ? `${set.reps} times` : `${set.reps} × ${tenths(set.weightKg)} kg`,
    set.distanceM === null ? "" : `${count(set.distanceM)} m`,
    set.durationSeconds === null ? "" : `${tenths(set.durationSeconds / 60)} min`,
  ];
  return said.filter(Boolean).join(", ");
}

function AddSet({ workoutId, known }: { workoutId: string; known: readonly Exercise[] }) {
  const [exercise, setExercise] = useState<Exercise | null>(null);
  return (
    <section className="card" aria-label="Add a set">
      <h2>Add a set</h2>
      {exercise ? (
        <SetForm key={exercise.id} workoutId={workoutId} exercise={exercise} onBack={() => setExercise(null)} />
      ) : (
        <ExercisePicker known={known} onPick={setExercise} />
      )}
    </section>
  );
}

function ExercisePicker({ known, onPick }: { known: readonly Exercise[]; onPick: (exercise: Exercise) => void }) {
  const [typed, setTyped] = useState("");
  const search = useSettled(typed.trim());
  const found = useQuery(ExerciseSearchDocument, { variables: { search }, skip: search.length < 2 });
  const offered = search.length < 2 ? known : (found.data?.exercises.nodes ?? []);
  return (
    <>
      <label>
        Exercise
        <input type="search" placeholder="squat" value={typed} onChange={(event) => setTyped(event.target.value)} />
      </label>
      <ul className="foods">
        {offered.map((each) => (
          <li key={each.id}>
            <button onClick={() => onPick(each)}>
              <span>{each.name}</span>
              {"primaryMuscles" in each && <small>{(each.primaryMuscles as string[]).map(words).join(", ")}</small>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What a set of each kind of exercise has, with what it is called and the factor to the input's unit. */
const FIELDS: Record<ExerciseTracking, readonly { name: "reps" | "weightKg" | "durationSeconds" | "distanceM"; label: string; factor: number }[]> = {
  REPS: [{ name: "reps", label: "Times", factor: 1 }],
  WEIGHT_REPS: [
    { name: "reps", label: "Times", factor: 1 },
    { name: "weightKg", label: "Weight, kg", factor: 1 },
  ],
  TIME: [{ name: "durationSeconds", label: "Minutes", factor: 60 }],
  DISTANCE_TIME: [
    { name: "distanceM", label: "Distance, km", factor: 1000 },
    { name: "durationSeconds", label: "Minutes", factor: 60 },
  ],
};

function SetForm({ workoutId, exercise, onBack }: { workoutId: string; exercise: Exercise; onBack: () => void }) {
  const [values, setValues] = useState<Record<string, string>>({ reps: "8" });
  const fields = FIELDS[exercise.tracking];

  function log(event: FormEvent) {
    event.preventDefault();
    const measured = Object.fromEntries(
      fields.map(({ name, factor }) => {
        const value = Number(values[name]) * factor;
        return [name, name === "durationSeconds" ? Math.round(value) : value];
      }),
    );
    const label = `${exercise.name}: ${fields.map((each) => `${each.label} ${values[each.name]}`).join(", ")}`;
    write("set", { workoutId, exerciseId: exercise.id, ...measured }, label);
  }

  return (
    <form className="amount" onSubmit={log}>
      <p>
        <strong>{exercise.name}</strong>
      </p>
      {exercise.instructions && (
        <details>
          <summary>How it is done</summary>
          <p>{exercise.instructions}</p>
        </details>
      )}
      <div className="fields">
        {fields.map(({ name, label }) => (
          <label key={name}>
            {label}
            <input
              type="number"
              min="0"
              step={name === "reps" ? 1 : "any"}
              required
              value={values[name] ?? ""}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          </label>
        ))}
      </div>
      <button className="primary">Log the set</button>
      <button type="button" className="quiet" onClick={onBack}>
        Another exercise
      </button>
    </form>
  );
}

function Done({ workouts }: { workouts: readonly WorkoutLineFragment[] }) {
  if (workouts.length === 0) return null;
  return (
    <section className="card" aria-label="Workouts before">
      <h2>Before</h2>
      <ul className="lines">
        {workouts.map((each) => (
          <li key={each.id}>
            <span>{each.name}</span>
            <small>
              {shortDate(each.localDate)}
              {each.durationMinutes !== null && `, ${minutes(each.durationMinutes)}`}
              {each.caloriesBurned?.kcal ? `, ${kcal(each.caloriesBurned.kcal)}` : ""}
              {each.volumeKg > 0 && `, ${count(each.volumeKg)} kg`}
              {each.track && `, ${tenths(each.track.distanceM / 1000)} km`}
            </small>
            {each.track?.series?.heartRate && <HeartLine {...each.track.series} heartRate={each.track.series.heartRate} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
