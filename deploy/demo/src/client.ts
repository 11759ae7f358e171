// Apollo Client as deploy/docs/front-ends.md says: queries over HTTP, subscriptions over one WebSocket, tokens renewed.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { from, switchMap } from "rxjs";
import { RenewDocument } from "./graph.generated";
import { currentSession, isExpired, keepSession, onSession } from "./session";

const URL = "/graphql";
const LONGEST_PAUSE_MS = 30_000;

/** What the graph says where the caller's token does not hold. */
export const isUnauthenticated = (error: unknown): boolean =>
  CombinedGraphQLErrors.is(error) && error.errors.some((each) => each.extensions?.code === "UNAUTHENTICATED");

export function isOnline(): boolean {
  return navigator.onLine;
}

let renewing: Promise<void> | undefined;

/** One renewal for all who need it. A refusal signs the person out; without a network it throws and changes nothing. */
function renew(): Promise<void> {
  return (renewing ??= renewOnce().finally(() => (renewing = undefined)));
}

async function renewOnce(): Promise<void> {
  const session = currentSession();
  if (!session) throw new Error("nobody is signed in");
  try {
    const variables = { input: { refreshToken: session.refreshToken } };
    const { data } = await client.mutate({ mutation: RenewDocument, variables, context: { isRenewal: true } });
    const given = data?.refresh;
    if (given?.accessToken && given.refreshToken) {
      keepSession({ ...session, accessToken: given.accessToken, refreshToken: given.refreshToken });
    }
  } catch (error) {
    if (isUnauthenticated(error)) keepSession(null);
    throw error;
  }
}

const authorize = new SetContextLink((context) => {
  const session = currentSession();
  return session ? { headers: { ...context.headers, authorization: `Bearer ${session.accessToken}` } } : {};
});

const renewal = new ErrorLink(({ error, operation, forward }) => {
  if (isUnauthenticated(error) && currentSession() && !operation.getContext().isRenewal) {
    return from(renew()).pipe(switchMap(() => forward(operation)));
  }
});

const online = (): Promise<void> =>
  isOnline() ? Promise.resolve() : new Promise((resolve) => addEventListener("online", () => resolve(), { once: true }));

const socket = createClient({
  url: location.origin.replace(/^http/, "ws") + URL,
  retryAttempts: Infinity,
  shouldRetry: () => currentSession() !== null,
  retryWait: async (retries) => {
    await online();
    await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 500 * 2 ** retries) * (0.5 + Math.random() / 2)));
  },
  connectionParams: async () => {
    const session = currentSession();
    if (session && isExpired(session)) await renew();
    return { Authorization: `Bearer ${currentSession()?.accessToken ?? ""}` };
  },
  on: {
    // a subscription looks back a minute, and the connection may have been away for longer: ask for the present state
    connected: (_socket, _payload, wasRetry) => {
      if (wasRetry) void client.refetchQueries({ include: "active" });
    },
  },
});

export const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    ApolloLink.from([renewal, authorize, new HttpLink({ uri: URL })]),
  ),
  // what is asked after a write must not be answered by an equal question that was under way before it
  defaultOptions: { watchQuery: { context: { queryDeduplication: false } } },
});

let known = currentSession()?.userId;

// nothing of one person is shown to the next, and no socket of theirs is used
onSession(() => {
  const userId = currentSession()?.userId;
  if (userId === known) return;
  known = userId;
  socket.terminate();
  void client.clearStore();
});
