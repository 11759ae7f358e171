// One front end with npm's own clients, as its documentation says to set it up: a subscription and queries over an expiring token.
//
//   node session_client.mjs graphql-ws|graphql-sse|apollo|urql URL ACCESS_TOKEN REFRESH_TOKEN SUBSCRIPTION QUERY
//
// Prints one JSON object a line: {"connected": n}, {"event": data}, {"refreshed": n}, {"ended": why}. A line on the
// standard input asks QUERY, which is answered by {"answer": data}; its end closes the client.
import { createInterface } from "node:readline";
import { createClient as createSocketClient } from "graphql-ws";
import { createClient as createEventClient } from "graphql-sse";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { authExchange } from "@urql/exchange-auth";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { from, switchMap } from "rxjs";
import WebSocket from "ws";

const [kind, url, accessToken, refreshToken, subscription, query] = process.argv.slice(2);
const session = { accessToken, refreshToken };
const say = (told) => console.log(JSON.stringify(told));
const bearer = () => `Bearer ${session.accessToken}`;
const isExpired = () => JSON.parse(atob(session.accessToken.split(".")[1])).exp * 1000 <= Date.now();
const isRefused = (errors) => errors.some((error) => error.extensions?.code === "UNAUTHENTICATED");

let refreshes = 0;
let refreshing;
const refresh = () =>
  (refreshing ??= (async () => {
    const mutation = "mutation ($input: RefreshInput!) { refresh(input: $input) { accessToken refreshToken } }";
    const body = JSON.stringify({ query: mutation, variables: { input: { refreshToken: session.refreshToken } } });
    // with the old token, as an HTTP client does that adds it to whatever it sends
    const headers = { "content-type": "application/json", authorization: bearer() };
    const answer = await (await fetch(url, { method: "POST", headers, body })).json();
    if (!answer.data?.refresh) throw new Error(JSON.stringify(answer.errors));
    Object.assign(session, answer.data.refresh);
    say({ refreshed: (refreshes += 1) });
  })().finally(() => (refreshing = undefined)));

let connections = 0;
const connected = () => say({ connected: (connections += 1) });

const socketClient = () =>
  createSocketClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    retryAttempts: 100,
    shouldRetry: () => true, // its default gives up where nobody listens for the moment
    connectionParams: async () => {
      if (isExpired()) await refresh();
      return { Authorization: bearer() };
    },
    on: { connected },
  });

const plain = (client) => ({
  subscribe: (sink) => client.subscribe({ query: subscription }, sink),
  ask: async () => (await client.iterate({ query }).next()).value,
});

const kinds = {
  "graphql-ws": () => plain(socketClient()),

  "graphql-sse": () =>
    plain(
      createEventClient({
        url,
        retryAttempts: 100,
        headers: async () => {
          if (isExpired()) await refresh();
          return { Authorization: bearer() };
        },
        on: { connected },
      }),
    ),

  apollo: () => {
    const authorize = new SetContextLink((previous) => ({
      headers: { ...previous.headers, authorization: bearer() },
    }));
    const renew = new ErrorLink(({ error, operation, forward }) => {
      if (CombinedGraphQLErrors.is(error) && isRefused(error.errors)) {
        return from(refresh()).pipe(switchMap(() => forward(operation)));
      }
    });
    const link = ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socketClient()),
      ApolloLink.from([renew, authorize, new HttpLink({ uri: url })]),
    );
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    return {
      subscribe: (sink) => client.subscribe({ query: gql(subscription) }).subscribe(sink),
      ask: () => client.query({ query: gql(query), fetchPolicy: "network-only" }),
    };
  },

  urql: () => {
    const socket = socketClient();
    const auth = authExchange(async (parts) => ({
      addAuthToOperation: (operation) => parts.appendHeaders(operation, { authorization: bearer() }),
      didAuthError: (error) => isRefused(error.graphQLErrors),
      refreshAuth: refresh,
    }));
    const forwardSubscription = (request) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }) });
    const exchanges = [auth, fetchExchange, subscriptionExchange({ forwardSubscription })];
    const client = new Client({ url, exchanges, preferGetMethod: false });
    return {
      subscribe: (sink) => client.subscription(subscription, {}).subscribe(sink.next),
      ask: () => client.query(query, {}, { requestPolicy: "network-only" }).toPromise(),
    };
  },
};

globalThis.WebSocket ??= WebSocket; // as in a browser: Apollo's link asks for it
const client = kinds[kind]();
const why = (error) => ({ code: error?.code, reason: error?.reason, message: error?.message, errors: error });
client.subscribe({
  next: (result) => {
    if (result.errors?.length || result.error) say({ ended: why(result.error?.networkError ?? result) });
    else say({ event: result.data });
  },
  error: (error) => say({ ended: why(error) }),
  complete: () => say({ ended: "completed" }),
});
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    say({ answer: (await client.ask()).data });
  } catch (error) {
    say({ failed: String(error) });
  }
}
process.exit(0);
