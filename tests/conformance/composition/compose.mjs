// Reads one list of subgraphs ([{name, sdl}]) per line and answers each with the error codes of each implementation.
import { createInterface } from "node:readline";
import apollo from "@apollo/composition";
import { composeServices as guild } from "@theguild/federation-composition";
import { parse } from "graphql";

const implementations = { apollo: apollo.composeServices, guild };

for await (const line of createInterface({ input: process.stdin })) {
  const codes = {};
  for (const [name, compose] of Object.entries(implementations)) {
    try {
      const services = JSON.parse(line).map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: "" }));
      const { errors } = compose(services);
      codes[name] = [...new Set((errors ?? []).map((error) => error.extensions?.code ?? "NO_CODE"))].sort();
    } catch (error) {
      codes[name] = ["THROWN"];
    }
  }
  console.log(JSON.stringify(codes));
}
