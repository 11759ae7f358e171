// Other people's readers of @defer and @stream: `node incremental_client.mjs URL QUERY current|former|urql` prints every
// state of the answer as JSON, when it was there (in ms from the start), and what the server was asked for and said that it
// sends. `apollo-subscription` is for a subscription over multipart/mixed.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { Client, fetchExchange } from "@urql/core";

const [url, query, reader] = process.argv.slice(2);
const seen = { times: [] };
const started = performance.now();

function note(states, data) {
  states.push(structuredClone(data));
  seen.times.push(performance.now() - started);
}

async function watchingFetch(uri, options) {
  const response = await fetch(uri, options);
  seen.accept = options.headers.accept;
  seen.contentType = response.headers.get("content-type");
  return response;
}

function withApollo(incrementalHandler) {
  const client = new ApolloClient({
    link: new HttpLink({ uri: url, fetch: watchingFetch }),
    cache: new InMemoryCache(),
    incrementalHandler,
  });
  return new Promise((resolve) => {
    const states = [];
    client.watchQuery({ query: gql(query), fetchPolicy: "no-cache", errorPolicy: "all" }).subscribe((result) => {
      if (result.data !== undefined) note(states, result.data);
      if (!result.loading && result.dataState === "complete") {
        resolve({ states, errors: result.error?.errors?.map((each) => each.message) ?? [] });
        setTimeout(() => client.stop(), 200); // the end of the stream comes just after its last part
      }
    });
  });
}

function withUrql() {
  const client = new Client({ url, exchanges: [fetchExchange], fetch: watchingFetch, preferGetMethod: false });
  return new Promise((resolve) => {
    const states = [];
    client.query(query, {}).subscribe((result) => {
      note(states, result.data);
      if (!result.hasNext) resolve({ states, errors: result.error?.graphQLErrors.map((each) => each.message) ?? [] });
    });
  });
}

function subscriptionWithApollo() {
  const client = new ApolloClient({ link: new HttpLink({ uri: url, fetch: watchingFetch }), cache: new InMemoryCache() });
  return new Promise((resolve) => {
    const states = [];
    client.subscribe({ query: gql(query), fetchPolicy: "no-cache" }).subscribe({
      next: (result) => note(states, result.data),
      complete: () => resolve({ states, errors: [] }),
    });
  });
}

const readers = {
  "apollo-subscription": subscriptionWithApollo,
  current: () => withApollo(new GraphQL17Alpha9Handler()),
  former: () => withApollo(new Defer20220824Handler()),
  urql: withUrql,
};
const withoutTypenames = (key, value) => (key === "__typename" ? undefined : value); // Apollo asks for them
console.log(JSON.stringify({ ...(await readers[reader]()), ...seen }, withoutTypenames));
