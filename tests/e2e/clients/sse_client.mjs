// npm `graphql-sse` against a running server: `node sse_client.mjs URL QUERY [single]` prints the results as JSON.
import { createClient } from "graphql-sse";

const [url, query, mode] = process.argv.slice(2);
const client = createClient({ url, retryAttempts: 0, singleConnection: mode === "single" });
const results = [];
try {
  for await (const result of client.iterate({ query })) results.push(result);
  console.log(JSON.stringify({ results }));
} catch (error) {
  console.log(JSON.stringify({ results, error: String(error) }));
}
client.dispose();
