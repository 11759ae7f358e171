// Endpoints of the person's programs: registered, tried, switched on again, removed; and what was sent to each.
import { useMutation, useQuery } from "@apollo/client/react";
import { useEffect, useState, type FormEvent } from "react";
import { Answer } from "./Answer";
import { useAttempt } from "./attempt";
import { Choices } from "./Choices";
import { clock, shortDate, words } from "./format";
import {
  CreateWebhookDocument,
  DeleteWebhookDocument,
  RedeliverWebhookDocument,
  RotateWebhookSecretDocument,
  SendTestWebhookDocument,
  UpdateWebhookDocument,
  WebhooksDocument,
  type EndpointFragment,
  type WebhookEventKind,
} from "./graph.generated";
import { newKey } from "./outbox";
import { linkTo } from "./route";

type Delivery = EndpointFragment["deliveries"]["nodes"][number];
const KINDS: readonly WebhookEventKind[] = [
  "DIARY_DAY_CHANGED",
  "DAILY_SUMMARY_CHANGED",
  "WEIGHT_CHANGED",
  "WORKOUT_COMPLETED",
  "PERSONAL_RECORD_SET",
  "GOAL_COMPLETED",
  "ACHIEVEMENT_UNLOCKED",
  "WEEKLY_REPORT_READY",
];
const AGAIN = { refetchQueries: [WebhooksDocument], awaitRefetchQueries: true };
/** How often is looked while something is under way. */
const LOOK_MS = 1500;

export function Webhooks() {
  const webhooks = useQuery(WebhooksDocument, { fetchPolicy: "cache-and-network" });
  const { startPolling, stopPolling } = webhooks;
  const endpoints = webhooks.data?.me.webhookEndpoints ?? [];
  const isUnderWay = endpoints.some((each) => each.isOn && each.deliveries.nodes.some(({ status }) => status === "WAITING"));
  useEffect(() => {
    if (isUnderWay) startPolling(LOOK_MS);
    return stopPolling;
  }, [isUnderWay, startPolling, stopPolling]);
  return <Answer of={webhooks}>{({ me }) => <Endpoints endpoints={me.webhookEndpoints} />}</Answer>;
}

function Endpoints({ endpoints }: { endpoints: readonly EndpointFragment[] }) {
  const [secret, setSecret] = useState<{ of: string; secret: string } | null>(null);
  const show = (of: string, shown: string | null | undefined) => shown && setSecret({ of, secret: shown });
  return (
    <>
      <h1>
        Webhooks
        <small>
          <a href={linkTo("settings")}>Settings</a>
        </small>
      </h1>
      {secret && (
        <section className="card once" aria-label="Secret" role="status">
          <p>
            The secret of {secret.of}, with which its program verifies what comes. It is shown this once:
          </p>
          <p>
            <code data-testid="secret">{secret.secret}</code>
          </p>
          <button onClick={() => setSecret(null)}>I have it</button>
        </section>
      )}
      {endpoints.map((each) => (
        <Endpoint key={each.id} endpoint={each} onSecret={(shown) => show(each.name, shown)} />
      ))}
      <Register onSecret={show} />
    </>
  );
}

function Endpoint({ endpoint, onSecret }: { endpoint: EndpointFragment; onSecret: (secret: string | null | undefined) => void }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [test] = useMutation(SendTestWebhookDocument, AGAIN);
  const [update] = useMutation(UpdateWebhookDocument, AGAIN);
  const [rotate] = useMutation(RotateWebhookSecretDocument, AGAIN);
  const [remove] = useMutation(DeleteWebhookDocument, AGAIN);
  const { id, name, version: expectedVersion, isOn } = endpoint;

  const sendTest = () => attempt(async () => (await test({ variables: { input: { id } } })).data?.sendTestWebhook);
  const turn = () =>
    attempt(async () => (await update({ variables: { input: { id, isOn: !isOn, expectedVersion } } })).data?.updateWebhookEndpoint);
  function newSecret() {
    if (!confirm(`Give ${name} another secret? Both hold for a day.`)) return;
    void attempt(async () => {
      const rotated = (await rotate({ variables: { input: { id, expectedVersion } } })).data?.rotateWebhookSecret;
      onSecret(rotated?.secret);
      return rotated;
    });
  }
  function takeAway() {
    if (confirm(`Remove ${name}? What waits for it is not sent.`))
      void attempt(async () => (await remove({ variables: { input: { id } } })).data?.deleteWebhookEndpoint);
  }

  return (
    <section className="card endpoint" aria-label={name}>
      <h2>
        {name} <small className={isOn ? undefined : "off"}>{stateOf(endpoint)}</small>
      </h2>
      <p className="address">{endpoint.url}</p>
      <p>
        <small>{endpoint.kinds.map(words).join(", ")}</small>
      </p>
      <div className="portions">
        <button disabled={isBusy || !isOn} onClick={() => void sendTest()}>
          Send a test
        </button>
        <button disabled={isBusy} onClick={() => void turn()}>
          {isOn ? "Switch off" : "Switch on again"}
        </button>
        <button disabled={isBusy} onClick={newSecret}>
          New secret
        </button>
        <button disabled={isBusy} onClick={takeAway}>
          Remove
        </button>
      </div>
      {complaint && <p role="alert">{complaint}</p>}
      <Deliveries of={endpoint.deliveries.nodes} />
    </section>
  );
}

function stateOf({ isOn, disabledReason, failingSince, apiKeyId }: EndpointFragment): string {
  const state = isOn ? (failingSince ? `failing since ${shortDate(failingSince.slice(0, 10))}` : "on") : `off: ${WHY[disabledReason ?? "OWNER"]}`;
  return apiKeyId ? `${state}, registered by an API key` : state;
}

const WHY = {
  OWNER: "switched off",
  FAILING: "it took nothing for too long",
  GONE: "it said that it is gone",
  TOO_MANY_WAITING: "too much waits for it",
} as const;

function Deliveries({ of }: { of: readonly Delivery[] }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [again] = useMutation(RedeliverWebhookDocument, AGAIN);
  if (of.length === 0) return <p className="empty">Nothing was sent yet.</p>;
  return (
    <>
      <ul className="lines told" aria-label="Deliveries">
        {of.map((each) => (
          <li key={each.id}>
            <span>
              {each.type}
              <small>
                {shortDate(each.createdAt.slice(0, 10))}, {clock(each.createdAt)}: {outcomeOf(each)}
              </small>
            </span>
            {each.status !== "WAITING" && (
              <button
                className="quiet"
                disabled={isBusy}
                aria-label={`Send ${each.type} of ${clock(each.createdAt)} again`}
                onClick={() => void attempt(async () => (await again({ variables: { input: { id: each.id } } })).data?.redeliverWebhook)}
              >
                Again
              </button>
            )}
          </li>
        ))}
      </ul>
      {complaint && <p role="alert">{complaint}</p>}
    </>
  );
}

function outcomeOf({ status, attempts, responseCode, failure, nextAttemptAt }: Delivery): string {
  const answer = [responseCode, failure && failure !== "RESPONSE" ? words(failure) : null].filter(Boolean).join(", ");
  const next = status === "WAITING" && attempts > 0 && nextAttemptAt ? `next at ${clock(nextAttemptAt)}` : "";
  return [words(status), answer, attempts > 1 ? `${attempts} attempts` : "", next].filter(Boolean).join(", ");
}

function Register({ onSecret }: { onSecret: (name: string, secret: string | null | undefined) => void }) {
  const { attempt, complaint, isBusy } = useAttempt();
  const [create] = useMutation(CreateWebhookDocument, AGAIN);
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [kinds, setKinds] = useState<WebhookEventKind[]>(["DIARY_DAY_CHANGED", "WEIGHT_CHANGED"]);

  async function send(event: FormEvent) {
    event.preventDefault();
    const done = await attempt(async () => {
      const made = (await create({ variables: { input: { name, url, kinds, idempotencyKey: newKey() } } })).data?.createWebhookEndpoint;
      onSecret(name, made?.secret);
      return made;
    });
    if (done) {
      setName("");
      setUrl("");
    }
  }

  return (
    <form className="card" aria-label="Register" onSubmit={(event) => void send(event)}>
      <h2>Register an endpoint</h2>
      <label>
        Name
        <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <label>
        Address
        <input
          type="url"
          required
          maxLength={1000}
          placeholder="https://hooks.example.org/fittracker"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
        />
      </label>
      <Choices legend="Is told of" of={KINDS} chosen={kinds} onChange={setKinds} />
      <button className="primary" disabled={isBusy || kinds.length === 0}>
        Register
      </button>
      {complaint && <p role="alert">{complaint}</p>}
    </form>
  );
}
