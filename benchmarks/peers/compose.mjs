// A composer in JavaScript: node compose.mjs apollo|guild|cosmo SUBGRAPHS SUPERGRAPH
// Composes once for each line of the standard input, and prints the seconds from the subgraphs' text to the supergraph's.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parse, print } from "graphql";

const [composer, subgraphsFile, supergraphFile] = process.argv.slice(2);
const subgraphs = JSON.parse(readFileSync(subgraphsFile, "utf8"));

function services() {
  return subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
}

function supergraphOf({ supergraphSdl, errors }) {
  if (!supergraphSdl) throw new Error(errors.map((error) => error.message).join("\n"));
  return supergraphSdl;
}

const composers = {
  async apollo() {
    const { composeServices } = await import("@apollo/composition");
    return () => supergraphOf(composeServices(services()));
  },
  async guild() {
    const { composeServices } = await import("@theguild/federation-composition");
    return () => supergraphOf(composeServices(services()));
  },
  async cosmo() {
    const { federateSubgraphs } = (await import("@wundergraph/composition")).default;
    return () => {
      const given = subgraphs.map(({ name, url, sdl }) => ({ name, url, definitions: parse(sdl) }));
      const result = federateSubgraphs({ subgraphs: given });
      if (!result.success) throw new Error(result.errors.map((error) => error.message).join("\n"));
      return print(result.federatedGraphAST);
    };
  },
};

const compose = await composers[composer]();
for await (const _line of createInterface({ input: process.stdin })) {
  const began = performance.now();
  const supergraph = compose();
  const seconds = (performance.now() - began) / 1000;
  writeFileSync(supergraphFile, supergraph);
  process.stdout.write(`${seconds}\n`);
}
