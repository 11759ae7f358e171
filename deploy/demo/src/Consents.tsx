// What the person agrees to, what a new text asks again, who may invite, and the way out.
import { useMutation } from "@apollo/client/react";
import { useState } from "react";
import { complaintOf } from "./complaint";
import { dateWithYear } from "./format";
import {
  SetInvitableDocument,
  SettingsDocument,
  UpdateConsentsDocument,
  WithdrawHealthDataDocument,
  type ConsentPurpose,
  type SettingsQuery,
} from "./graph.generated";
import { currentSession, keepSession } from "./session";

type Me = SettingsQuery["me"];
type State = Me["consents"][number];

const LABELS: Record<ConsentPurpose, string> = {
  TERMS: "Terms of use",
  HEALTH_DATA: "My health data is processed: weights, meals, workouts, and what follows from them",
  EMAILS: "Mails of reports, reminders and news",
  STATISTICS: "I am counted in statistics, which hold numbers alone",
};

export function Consents({ me }: { me: Me }) {
  const [said, setSaid] = useState<{ text: string; isComplaint: boolean } | null>(null);
  const [isSure, setSure] = useState(false);
  const again = { refetchQueries: [SettingsDocument], awaitRefetchQueries: true };
  const [update, updating] = useMutation(UpdateConsentsDocument, again);
  const [withdraw, withdrawing] = useMutation(WithdrawHealthDataDocument);
  const [invitable, setting] = useMutation(SetInvitableDocument, again);
  const isBusy = updating.loading || withdrawing.loading || setting.loading;

  async function tell(work: () => Promise<string | undefined>) {
    try {
      const complaint = await work();
      setSaid(complaint ? { text: complaint, isComplaint: true } : { text: "Saved.", isComplaint: false });
    } catch (error) {
      setSaid({ text: complaintOf(error), isComplaint: true });
    }
  }

  const decide = (state: State, isGiven: boolean) =>
    tell(async () => {
      const consents = [{ purpose: state.purpose, isGiven, version: isGiven ? state.versionInForce : null }];
      return (await update({ variables: { input: { consents } } })).data?.updateConsents?.userErrors[0]?.message;
    });

  const leave = () =>
    tell(async () => {
      const answer = (await withdraw({ variables: { input: { confirm: true } } })).data?.withdrawHealthDataConsent;
      const session = currentSession();
      if (session && answer?.accessToken && answer.refreshToken) {
        keepSession({ ...session, accessToken: answer.accessToken, refreshToken: answer.refreshToken });
        location.reload(); // every page is another session's
      }
      return answer?.userErrors[0]?.message;
    });

  return (
    <section className="card" aria-label="Consents and privacy">
      <h2>Consents and privacy</h2>
      {me.erasureDueAt && (
        <p role="alert">
          You withdrew the consent to health data: nothing is kept any more, and on {dateWithYear(me.erasureDueAt.slice(0, 10))} the account
          is erased. Agree again, or take your data along below.
        </p>
      )}
      <ul>
        {me.consents.map((state) => (
          <li key={state.purpose}>
            <label>
              <input
                type="checkbox"
                checked={state.isGiven === true && !state.isMissing}
                disabled={isBusy || isFixed(state)}
                onChange={(event) => void decide(state, event.target.checked)}
              />
              {LABELS[state.purpose]}
              {state.versionInForce && `, text ${state.versionInForce}`}
            </label>
            {state.isMissing && <strong> To be decided.</strong>}
            {state.decidedAt && ` ${state.isGiven ? "Agreed" : "Refused"} on ${dateWithYear(state.decidedAt.slice(0, 10))}.`}
          </li>
        ))}
      </ul>
      <label>
        <input
          type="checkbox"
          checked={me.settings.invitableByEmail}
          disabled={isBusy || me.erasureDueAt !== null}
          onChange={(event) =>
            void tell(
              async () =>
                (await invitable({ variables: { input: { invitableByEmail: event.target.checked } } })).data?.updateSettings?.userErrors[0]
                  ?.message,
            )
          }
        />
        Whoever knows my address may invite me as a reader
      </label>
      {!me.erasureDueAt && (
        <p>
          <label>
            <input type="checkbox" checked={isSure} onChange={(event) => setSure(event.target.checked)} />
            I no longer agree that my health data is processed. I know that my account is erased 14 days later.
          </label>
          <button disabled={!isSure || isBusy} onClick={() => void leave()}>
            Withdraw and have everything erased
          </button>
        </p>
      )}
      {said && <p role={said.isComplaint ? "alert" : "status"}>{said.text}</p>}
    </section>
  );
}

/** What is agreed to and ends with the account alone. */
function isFixed(state: State): boolean {
  return (state.purpose === "TERMS" || state.purpose === "HEALTH_DATA") && state.isGiven === true && !state.isMissing;
}
