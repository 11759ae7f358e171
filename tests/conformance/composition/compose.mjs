// Reads one list of subgraphs ([{name, sdl}]) per line and answers each with the list of its error codes.
import { createInterface } from "node:readline";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

for await (const line of createInterface({ input: process.stdin })) {
  let codes;
  try {
    const services = JSON.parse(line).map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: "" }));
    const { errors } = composeServices(services);
    codes = [...new Set((errors ?? []).map((error) => error.extensions?.code ?? "NO_CODE"))].sort();
  } catch (error) {
    codes = ["THROWN"];
  }
  console.log(JSON.stringify(codes));
}
