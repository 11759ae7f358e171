// Sends GraphiQL's operations and watches what comes back: plans for the plan pane, events for the events pane.
import { createGraphiQLFetcher, getOperationAST, parse } from "./graphiql.js";
import { authorization } from "./session.js";
import { createStore } from "./store.js";

const MOST_EVENTS = 200;

/** What the last operation did: `{ operation, plans, trace, choices, errors, startedAt, endedAt, bytes }`. */
export const lastRun = createStore(null);
/** Of the last subscription: `{ name, events: [{ number, at, result }], total, isOpen }`. */
export const eventLog = createStore({ name: "", events: [], total: 0, isOpen: false });

export function createFetcher(endpoint, about) {
  const socket = new URL(endpoint);
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  // Headers travel as HTTP headers, and as `connection_init` payload when a subscription opens a socket.
  const send = createGraphiQLFetcher({ url: endpoint.href, subscriptionUrl: socket.href });

  return async function fetcher(parameters, options) {
    const isIntrospection = parameters.operationName === "IntrospectionQuery";
    const documentAST = parsed(parameters.query) ?? options?.documentAST;
    const operation = operationIn(documentAST, parameters.operationName);
    const request = operation?.name ? { ...parameters, operationName: operation.name.value } : parameters;
    const headers = {
      ...(await authorization(endpoint, about.signIn)),
      ...(about.plans && !isIntrospection ? { "x-query-plan": "1" } : {}),
      ...lowerCased(options?.headers),
    };
    const answer = await send(request, { ...options, documentAST, headers });
    if (isIntrospection) return answer;
    begin(request, operation?.operation);
    return isStream(answer) ? watched(answer, operation?.operation) : seen(await answer);
  };
}

// The editor parses a moment after the last key; whoever runs at once must not have a subscription taken for a query.
function parsed(query) {
  try {
    return parse(query);
  } catch {
    return null; // the router words the syntax error
  }
}

/** The one of that name. The editor's name lags behind its text as its document does, and may be the former text's, or none yet. */
function operationIn(documentAST, name) {
  return documentAST && (getOperationAST(documentAST, name) ?? getOperationAST(documentAST));
}

/** What somebody types as `Authorization` replaces the header of the person signed in. */
function lowerCased(headers) {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

function isStream(answer) {
  return answer && (Symbol.asyncIterator in Object(answer) || typeof answer.subscribe === "function");
}

async function* watched(stream, type) {
  try {
    for await (const chunk of stream) {
      if (type === "subscription") noteEvent(chunk);
      yield Array.isArray(chunk) ? chunk.map(seen) : seen(chunk);
    }
  } finally {
    if (type === "subscription") eventLog.set((log) => ({ ...log, isOpen: false }));
    lastRun.set((run) => run && { ...run, endedAt: performance.now() });
  }
}

function begin(parameters, type) {
  lastRun.set({
    name: parameters.operationName ?? "",
    type,
    plans: [],
    trace: null,
    choices: null,
    errors: [],
    startedAt: performance.now(),
    endedAt: null,
  });
  if (type === "subscription") {
    eventLog.set({ name: parameters.operationName ?? "subscription", events: [], total: 0, isOpen: true });
  }
}

/** Takes the plan out of a result, so that the result pane shows the answer alone. */
function seen(result) {
  const { queryPlan, trace, choices, ...others } = result?.extensions ?? {};
  const errors = [result?.errors, ...(result?.incremental ?? []).map((each) => each.errors)].flat().filter(Boolean);
  lastRun.set((run) => {
    if (!run) return run;
    const isEvent = run.type === "subscription";
    return {
      ...run,
      plans: queryPlan ? (isEvent ? [queryPlan] : [...run.plans, queryPlan]) : run.plans,
      trace: trace ?? run.trace,
      choices: choices ?? run.choices,
      errors: isEvent ? errors : [...run.errors, ...errors],
      endedAt: performance.now(),
    };
  });
  if (!result?.extensions || !(queryPlan || trace)) return result;
  const { extensions, ...rest } = result;
  return Object.keys(others).length ? { ...rest, extensions: others } : rest;
}

function noteEvent(result) {
  eventLog.set((log) => ({
    ...log,
    total: log.total + 1,
    events: [{ number: log.total + 1, at: Date.now(), result: withoutPlan(result) }, ...log.events].slice(0, MOST_EVENTS),
  }));
}

function withoutPlan({ extensions, ...rest }) {
  return rest;
}
