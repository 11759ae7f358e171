// Reads one supergraph (a JSON text) per line and answers each with what Apollo's gateway libraries see in it:
// {"api": the schema of clients, "subgraphs": the names of those that it was taken apart into} or {"error"}.
import { createInterface } from "node:readline";
import internals from "@apollo/federation-internals";
import { lexicographicSortSchema, printSchema } from "graphql";

// what Apollo Router knows; the JavaScript gateway knows all of it but contexts
const FEATURES = internals.ROUTER_SUPPORTED_SUPERGRAPH_FEATURES;

for await (const line of createInterface({ input: process.stdin })) {
  let seen;
  try {
    const supergraph = internals.Supergraph.build(JSON.parse(line), { supportedFeatures: FEATURES });
    seen = {
      api: printSchema(lexicographicSortSchema(supergraph.apiSchema().toGraphQLJSSchema())),
      subgraphs: [...supergraph.subgraphs().names()],
    };
  } catch (error) {
    seen = { error: error.message };
  }
  console.log(JSON.stringify(seen));
}
