// The account, and all that the platform keeps about it, to take along.
import { useQuery } from "@apollo/client/react";
import { useRef, useState } from "react";
import { Answer } from "./Answer";
import { Avoided } from "./Avoided";
import { Consents } from "./Consents";
import { Export, LISTINGS, type Progress } from "./export";
import { count, dateWithYear, title, words } from "./format";
import { SettingsDocument, type SettingsQuery } from "./graph.generated";
import { Passkeys } from "./Passkeys";
import { linkTo } from "./route";
import { Number as Figure } from "./Today";
import { WorkoutReminders } from "./WorkoutReminders";

export function Settings() {
  const settings = useQuery(SettingsDocument, { fetchPolicy: "cache-and-network" });
  return <Answer of={settings}>{({ me }) => <Account me={me} />}</Answer>;
}

function Account({ me }: { me: SettingsQuery["me"] }) {
  return (
    <>
      <h1>Settings</h1>
      <section className="card" aria-label="Account">
        <h2>Account</h2>
        <dl className="numbers">
          <Figure name="name" value={me.displayName} />
          <Figure name="e-mail" value={me.email ?? "–"} />
          <Figure name="since" value={dateWithYear(me.createdAt.slice(0, 10))} />
          <Figure name="clock" value={me.settings.timeZone.replaceAll("_", " ")} />
          <Figure name="units" value={title(me.settings.units)} />
          {me.premiumUntil && <Figure name="premium until" value={dateWithYear(me.premiumUntil.slice(0, 10))} />}
          <Figure name="second factor" value={me.hasSecondFactor ? "on" : "off"} />
        </dl>
      </section>
      <Consents me={me} />
      <Avoided chosen={me.dietaryPreferences} />
      <WorkoutReminders me={me} />
      <Passkeys passkeys={me.passkeys} />
      <section className="card" aria-label="Webhooks">
        <h2>Webhooks</h2>
        <p>Programs of yours are told of what changes, signed, by a POST.</p>
        <a className="button" href={linkTo("webhooks")}>
          Endpoints and what was sent
        </a>
      </section>
      <TakeAlong personId={me.id} />
    </>
  );
}

type State = { at: "rest" } | { at: "work"; progress: Progress } | { at: "end"; records: number } | { at: "stop"; why: string };

function TakeAlong({ personId }: { personId: string }) {
  const begun = useRef<Export>(undefined); // what has come stays, so that pressing again goes on
  const [state, setState] = useState<State>({ at: "rest" });

  async function take() {
    const whole = (begun.current ??= new Export(personId));
    try {
      await whole.fetch((progress) => setState({ at: "work", progress }));
      begun.current = undefined;
      save(whole.zip(location.origin + "/graphql"), `fittracker-${new Date().toISOString().slice(0, 10)}.zip`);
      setState({ at: "end", records: whole.records });
    } catch (error) {
      setState({ at: "stop", why: error instanceof Error ? error.message : String(error) });
    }
  }

  return (
    <section className="card" aria-label="Your data">
      <h2>Your data</h2>
      <p>
        All that is kept about you, as one zip: meals, drinks, foods and recipes, workouts, weighings, goals, days, settings. Each kind
        is a file of JSON Lines. <code>fittracker import</code> takes the zip into another account.
      </p>
      <button className="primary" disabled={state.at === "work"} onClick={() => void take()}>
        {state.at === "stop" ? "Go on" : "Export my data"}
      </button>
      <div role="status" className="export">
        {state.at === "work" && (
          <>
            <progress max={LISTINGS.length} value={state.progress.whole} aria-label="Exported" />
            <p>
              {words(state.progress.name.replace(/[A-Z]/g, " $&"))}, {count(state.progress.records)} records so far
            </p>
          </>
        )}
        {state.at === "end" && <p>Saved: {count(state.records)} records.</p>}
        {state.at === "stop" && <p>It stopped ({state.why}). What has come is kept.</p>}
      </div>
    </section>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has read it
}
