// When to be reminded of planned workouts, and of which of them next.
import { useMutation } from "@apollo/client/react";
import { useState, type FormEvent } from "react";
import { complaintOf } from "./complaint";
import { clockIn, longDate } from "./format";
import { SetWorkoutRemindersDocument, SettingsDocument, type SettingsQuery } from "./graph.generated";

type Me = SettingsQuery["me"];

export function WorkoutReminders({ me }: { me: Me }) {
  const chosen = me.notificationPreferences;
  const [minutes, setMinutes] = useState(chosen.workoutReminderMinutes?.toString() ?? "");
  const [clock, setClock] = useState(chosen.workoutReminderTime ?? "");
  const [said, setSaid] = useState<{ text: string; isComplaint: boolean } | null>(null);
  const [set, setting] = useMutation(SetWorkoutRemindersDocument, {
    refetchQueries: [SettingsDocument],
    awaitRefetchQueries: true,
  });

  async function save(event: FormEvent) {
    event.preventDefault();
    const input = {
      workoutReminderMinutes: minutes === "" ? null : Number(minutes),
      workoutReminderTime: clock === "" ? null : clock,
      expectedVersion: chosen.version,
    };
    try {
      const refusal = (await set({ variables: { input } })).data?.updateNotificationPreferences?.userErrors[0];
      setSaid(refusal ? { text: refusal.message, isComplaint: true } : { text: "Saved.", isComplaint: false });
    } catch (error) {
      setSaid({ text: complaintOf(error), isComplaint: true });
    }
  }

  return (
    <section className="card" aria-label="Reminders of workouts">
      <h2>Reminders of workouts</h2>
      <p>Of each planned workout, once, while it is still to be done. An empty field is never.</p>
      <form onSubmit={(event) => void save(event)}>
        <label>
          Minutes before its time
          <input type="number" min="0" max="1440" value={minutes} onChange={(event) => setMinutes(event.target.value)} />
        </label>
        <label>
          When it has no time
          <input type="time" value={clock} onChange={(event) => setClock(event.target.value)} />
        </label>
        <button className="primary" disabled={setting.loading}>
          Save
        </button>
      </form>
      {said && <p role={said.isComplaint ? "alert" : "status"}>{said.text}</p>}
      {me.workoutReminders.length > 0 && (
        <ul aria-label="Next reminders">
          {me.workoutReminders.map((each) => (
            <li key={each.plannedWorkoutId}>
              {each.name}, {longDate(each.date)} {each.timeOfDay}: at {clockIn(each.at, me.settings.timeZone)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
