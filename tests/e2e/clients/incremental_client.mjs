// Other people's readers of @defer and @stream: `node incremental_client.mjs URL QUERY current|former|urql` prints every
// state of the answer as JSON, and what the server was asked for and said that it sends.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { Client, fetchExchange } from "@urql/core";

const [url, query, reader] = process.argv.slice(2);
const seen = {};

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
      if (result.data !== undefined) states.push(structuredClone(result.data));
      if (!result.loading && result.dataState === "complete") {
        resolve({ states, errors: result.error?.errors?.map((each) => each.message) ?? [] });
        client.stop();
      }
    });
  });
}

function withUrql() {
  const client = new Client({ url, exchanges: [fetchExchange], fetch: watchingFetch, preferGetMethod: false });
  return new Promise((resolve) => {
    const states = [];
    client.query(query, {}).subscribe((result) => {
      states.push(structuredClone(result.data));
      if (!result.hasNext) resolve({ states, errors: result.error?.graphQLErrors.map((each) => each.message) ?? [] });
    });
  });
}

const readers = {
  current: () => withApollo(new GraphQL17Alpha9Handler()),
  former: () => withApollo(new Defer20220824Handler()),
  urql: withUrql,
};
const withoutTypenames = (key, value) => (key === "__typename" ? undefined : value); // Apollo asks for them
console.log(JSON.stringify({ ...(await readers[reader]()), ...seen }, withoutTypenames));
