// One front end with npm's own clients, as its documentation says to set it up: a subscription and queries over an expiring token.
//
//   node session_client.mjs graphql-ws|graphql-sse|apollo|urql URL ACCESS_TOKEN REFRESH_TOKEN SUBSCRIPTION QUERY
//
// What it tells and is told: session.mjs.
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
import { Session, answerLines, connected, isRefused, teller } from "./session.mjs";

const [kind, url, accessToken, refreshToken, subscription, query] = process.argv.slice(2);
const session = new Session(url, accessToken, refreshToken);

const plain = (client) => ({
  subscribe: (sink) => client.subscribe({ query: subscription }, sink),
  ask: async () => (await client.iterate({ query }).next()).value,
});

const kinds = {
  "graphql-ws": () => plain(session.socketClient()),

  "graphql-sse": () =>
    plain(
      createEventClient({
        url,
        retryAttempts: 100,
        headers: async () => ({ Authorization: await session.freshBearer() }),
        on: { connected },
      }),
    ),

  apollo: () => {
    const authorize = new SetContextLink((previous) => ({
      headers: { ...previous.headers, authorization: session.bearer() },
    }));
    const renew = new ErrorLink(({ error, operation, forward }) => {
      if (CombinedGraphQLErrors.is(error) && isRefused(error.errors)) {
        return from(session.refresh()).pipe(switchMap(() => forward(operation)));
      }
    });
    const link = ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(session.socketClient()),
      ApolloLink.from([renew, authorize, new HttpLink({ uri: url })]),
    );
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    return {
      subscribe: (sink) => client.subscribe({ query: gql(subscription) }).subscribe(sink),
      ask: () => client.query({ query: gql(query), fetchPolicy: "network-only" }),
    };
  },

  urql: () => {
    const socket = session.socketClient();
    const auth = authExchange(async (parts) => ({
      addAuthToOperation: (operation) => parts.appendHeaders(operation, { authorization: session.bearer() }),
      didAuthError: (error) => isRefused(error.graphQLErrors),
      refreshAuth: () => session.refresh(),
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
client.subscribe(teller);
await answerLines(async () => (await client.ask()).data);
