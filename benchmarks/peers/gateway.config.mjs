// Hive Gateway's settings: those of the public benchmark. With FORWARD_AUTHORIZATION the caller's token goes to the
// subgraphs, which it does not by itself.
import { defineConfig } from "@graphql-hive/gateway";

const forwarding = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") ?? "" }),
  },
};

export const gatewayConfig = defineConfig({
  inboundInflightRequestDeduplication: true,
  logging: false,
  ...(process.env.FORWARD_AUTHORIZATION && forwarding),
});
