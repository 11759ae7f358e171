// Apollo Gateway on Apollo Server, one process: node apollo-gateway.mjs SUPERGRAPH PORT
// With FORWARD_AUTHORIZATION the caller's token goes to the subgraphs, which it does not by itself.
import { readFileSync } from "node:fs";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";

const [supergraph, port] = process.argv.slice(2);
const forwards = Boolean(process.env.FORWARD_AUTHORIZATION);

class AuthorizedSource extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.authorization) request.http.headers.set("authorization", context.authorization);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(supergraph, "utf8"),
  ...(forwards && { buildService: ({ url }) => new AuthorizedSource({ url }) }),
});
const server = new ApolloServer({ gateway });
await startStandaloneServer(server, {
  listen: { port: Number(port), host: "127.0.0.1" },
  ...(forwards && { context: async ({ req }) => ({ authorization: req.headers.authorization }) }),
});
