// The GraphQL-over-HTTP audit of npm `graphql-http` against a running server: `node audit.mjs URL` prints JSON.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
