// Hive Gateway's settings: those of the public benchmark.
import { defineConfig } from "@graphql-hive/gateway";

export const gatewayConfig = defineConfig({ inboundInflightRequestDeduplication: true, logging: false });
