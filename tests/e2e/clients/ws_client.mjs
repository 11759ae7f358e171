// npm `graphql-ws` against a running server: `node ws_client.mjs URL QUERY [AUTHORIZATION]` prints the results as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, query, authorization] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  retryAttempts: 0,
  connectionParams: authorization ? { Authorization: authorization } : {},
});
const results = [];
try {
  for await (const result of client.iterate({ query })) results.push(result);
  console.log(JSON.stringify({ results }));
} catch (error) {
  console.log(JSON.stringify({ results, closed: error.code ?? null, errors: Array.isArray(error) ? error : null }));
}
await client.dispose();
