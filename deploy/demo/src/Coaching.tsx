// Who reads of the person and plans for them, and of whom they read and for whom they plan: invited, accepted, ended.
import { useMutation, useQuery } from "@apollo/client/react";
import { useState, type FormEvent } from "react";
import { Answer } from "./Answer";
import { useAttempt } from "./attempt";
import { Choices } from "./Choices";
import { count, dateWithYear, shortDate, title, words } from "./format";
import {
  AcceptInvitationDocument,
  CoachingDocument,
  InviteReaderDocument,
  RevokeAccessDocument,
  type CoachingQuery,
  type GrantArea,
  type GrantLineFragment,
  type GrantRelation,
  type InvitationLineFragment,
  type PlannedByFragment,
  type PlanArea,
} from "./graph.generated";
import { linkTo } from "./route";

const AREAS: readonly GrantArea[] = ["BODY", "DIARY", "TRAINING", "PROGRESS"];
/** What may be planned, with the area that whoever plans it reads. */
const READING: Record<PlanArea, GrantArea> = { MEALS: "DIARY", TRAINING: "TRAINING", GOALS: "PROGRESS" };
const PLANS = Object.keys(READING) as PlanArea[];
const MOST_WRITES = 8;
const AGAIN = { refetchQueries: [CoachingDocument], awaitRefetchQueries: true };

export function Coaching() {
  const coaching = useQuery(CoachingDocument, { fetchPolicy: "cache-and-network" });
  return <Answer of={coaching}>{({ me }) => <People me={me} />}</Answer>;
}

function People({ me }: { me: CoachingQuery["me"] }) {
  return (
    <>
      <h1>Coaching</h1>
      <div className="columns">
        <div>
          <Readers grants={me.readers.nodes} sent={me.sentInvitations} />
          <Planned writes={[...me.trainingWrites, ...me.diaryWrites, ...me.progressWrites]} />
          <Invite />
        </div>
        <div>
          <Clients grants={me.clients.nodes} />
          <Accept received={me.receivedInvitations} />
        </div>
      </div>
    </>
  );
}

/** "reads diary, training; plans meals; until Mar 1, 2027". An invitation has days, and its own end, as of which nobody can accept it. */
function Extent({ of }: { of: GrantLineFragment | InvitationLineFragment }) {
  const list = (names: readonly string[]) => names.map(words).join(", ");
  const end = dateWithYear(of.expiresAt.slice(0, 10));
  const lasts = "days" in of ? `for ${count(of.days)} days, if accepted before ${end}` : `until ${end}`;
  return <small>{[`reads ${list(of.areas)}`, of.plans.length > 0 && `plans ${list(of.plans)}`, lasts].filter(Boolean).join("; ")}</small>;
}

function Clients({ grants }: { grants: readonly GrantLineFragment[] }) {
  const { revoke, complaint } = useRevoke();
  return (
    <section className="card" aria-label="Clients">
      <h2>Who lets you read</h2>
      <ul className="lines told">
        {grants.map((each) => (
          <li key={each.id}>
            <span>
              {each.person ? <a href={linkTo("coaching", each.person.id)}>{each.ownerName}</a> : each.ownerName}
              <Extent of={each} />
            </span>
            <button onClick={() => revoke(each.id, `Read nothing of ${each.ownerName} any more?`)}>Give back</button>
          </li>
        ))}
      </ul>
      {grants.length === 0 && <p className="empty">Nobody yet. Somebody who invites you gives you a code, or names your address.</p>}
      {complaint && <p role="alert">{complaint}</p>}
    </section>
  );
}

function Readers({ grants, sent }: { grants: readonly GrantLineFragment[]; sent: readonly InvitationLineFragment[] }) {
  const { revoke, complaint } = useRevoke();
  return (
    <section className="card" aria-label="Readers">
      <h2>Who reads of yours</h2>
      <ul className="lines told">
        {grants.map((each) => (
          <li key={each.id}>
            <span>
              <strong>{each.readerName}</strong> <small className="inline">{words(each.relation)}</small>
              <Extent of={each} />
            </span>
            {each.plans.length > 0 && (
              <button onClick={() => revoke(each.id, `Let ${each.readerName} plan nothing any more?`, true)}>End planning</button>
            )}
            <button onClick={() => revoke(each.id, `Let ${each.readerName} read nothing any more?`)}>Revoke</button>
          </li>
        ))}
        {sent.map((each) => (
          <li key={each.id}>
            <span>
              Invited: {each.email ?? "whoever has the code"}
              <Extent of={each} />
            </span>
            <button onClick={() => revoke(each.id, "Take the invitation back?")}>Take back</button>
          </li>
        ))}
      </ul>
      {grants.length + sent.length === 0 && <p className="empty">Nobody.</p>}
      {complaint && <p role="alert">{complaint}</p>}
    </section>
  );
}

/** The latest plans that others wrote for the person, and whether a program of theirs did. */
function Planned({ writes }: { writes: readonly PlannedByFragment[] }) {
  if (writes.length === 0) return null;
  const latest = writes.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at)).slice(0, MOST_WRITES);
  return (
    <section className="card" aria-label="Planned for you">
      <h2>Planned for you</h2>
      <ul className="lines">
        {latest.map((each) => (
          <li key={`${each.subjectId} ${each.at}`}>
            <span>{title(each.what)}</span>
            <small>
              {each.writerName}
              {each.apiKeyId && ", by a program"}, {shortDate(each.at.slice(0, 10))}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function useRevoke() {
  const { attempt, complaint } = useAttempt();
  const [end] = useMutation(RevokeAccessDocument, AGAIN);
  function revoke(id: string, question: string, plansOnly = false) {
    if (confirm(question)) void attempt(async () => (await end({ variables: { input: { id, plansOnly } } })).data?.revokeAccess);
  }
  return { revoke, complaint };
}

function Invite() {
  const { attempt, complaint, isBusy } = useAttempt();
  const [invite] = useMutation(InviteReaderDocument, AGAIN);
  const [relation, setRelation] = useState<GrantRelation>("COACH");
  const [areas, setAreas] = useState<GrantArea[]>(["DIARY", "TRAINING", "PROGRESS"]);
  const [wanted, setWanted] = useState<PlanArea[]>([]);
  const [days, setDays] = useState("90");
  const [email, setEmail] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const plans = wanted.filter((each) => areas.includes(READING[each]));

  function send(event: FormEvent) {
    event.preventDefault();
    setCode(null);
    void attempt(async () => {
      const input = { relation, areas, plans, days: Number(days), email: email || null };
      const invited = (await invite({ variables: { input } })).data?.inviteReader;
      setCode(invited?.code ?? null);
      return invited;
    });
  }

  return (
    <form className="card" aria-label="Invite" onSubmit={send}>
      <h2>Invite somebody to read</h2>
      <Choices legend="May read" of={AREAS} chosen={areas} onChange={setAreas} />
      <Choices
        legend="May plan for you"
        of={PLANS}
        chosen={plans}
        isShut={(each) => !areas.includes(READING[each])}
        onChange={setWanted}
      />
      <div className="fields">
        <label>
          As
          <select value={relation} onChange={(event) => setRelation(event.target.value as GrantRelation)}>
            <option value="COACH">Coach</option>
            <option value="FAMILY">Family</option>
          </select>
        </label>
        <label>
          Days
          <input type="number" min="1" max="365" required value={days} onChange={(event) => setDays(event.target.value)} />
        </label>
      </div>
      <label>
        E-mail, or nothing for a code
        <input type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
      </label>
      <button className="primary" disabled={isBusy || areas.length === 0}>
        Invite
      </button>
      {code && (
        <p className="once" role="status">
          Give this code to whom you mean; it is shown this once: <code data-testid="code">{code}</code>
        </p>
      )}
      {complaint && <p role="alert">{complaint}</p>}
    </form>
  );
}

function Accept({ received }: { received: readonly InvitationLineFragment[] }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [accept] = useMutation(AcceptInvitationDocument, AGAIN);
  const [code, setCode] = useState("");
  const take = (input: { code?: string; id?: string }) =>
    attempt(async () => (await accept({ variables: { input } })).data?.acceptInvitation);

  async function enter(event: FormEvent) {
    event.preventDefault();
    if (await take({ code: code.trim() })) setCode("");
  }

  return (
    <section className="card" aria-label="Invitations">
      <h2>Invitations to you</h2>
      <ul className="lines told">
        {received.map((each) => (
          <li key={each.id}>
            <span>
              <strong>{each.ownerName}</strong> <small className="inline">{title(each.relation)}</small>
              <Extent of={each} />
            </span>
            <button className="primary" disabled={isBusy} onClick={() => void take({ id: each.id })}>
              Accept
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={(event) => void enter(event)}>
        <label>
          Code
          <input required maxLength={100} autoComplete="off" value={code} onChange={(event) => setCode(event.target.value)} />
        </label>
        <button className="primary" disabled={isBusy}>
          Accept the invitation
        </button>
      </form>
      {complaint && <p role="alert">{complaint}</p>}
    </section>
  );
}
