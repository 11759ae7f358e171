// Asks a router for operations of operations/*.graphql with Apollo Client's normalised cache, which has no key function.
//
// node router_cache_client.mjs URL TOKEN '[{"operation": "LogMeal", "variables": {...}}, ...]'
// A variable {"from": ["LogMeal", "logMeal", "meal", "id"]} is what that operation answered last. Afterwards every query is
// read from the cache alone. Prints {"answers": {operation: data}, "read": {operation: data or null where something is missing},
// "keys": [normalised objects, sorted], "refused": [operations with errors or refusals], "warnings": [...]}.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InMemoryCache } from "@apollo/client";
import { Kind, parse, print, visit } from "graphql";

const [, , url, token, told] = process.argv;
const warnings = [];
console.warn = console.error = (...said) => warnings.push(said.map(String).join(" "));

const folder = join(dirname(fileURLToPath(import.meta.url)), "operations");
const definitions = readdirSync(folder).flatMap((name) => parse(readFileSync(join(folder, name), "utf8")).definitions);
const fragments = new Map(definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((each) => [each.name.value, each]));
const cache = new InMemoryCache();

function documentOf(name) {
  const operation = definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION && each.name.value === name);
  const used = new Map();
  const collect = (node) => visit(node, { FragmentSpread({ name: { value } }) {
    if (!used.has(value)) { used.set(value, fragments.get(value)); collect(fragments.get(value)); }
  } });
  collect(operation);
  return cache.transformDocument({ kind: Kind.DOCUMENT, definitions: [operation, ...used.values()] });
}

const answers = {};
const refused = [];
const asked = [];
const filled = (value) => {
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value.from)) return value.from.reduce((found, name) => found[name], answers);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each)]));
};
for (const { operation, variables: given = {} } of JSON.parse(told)) {
  const document = documentOf(operation);
  const variables = filled(given);
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query: print(document), operationName: operation, variables });
  const { data, errors } = await (await fetch(url, { method: "POST", headers, body })).json();
  if (errors || Object.values(data).some((payload) => payload?.userErrors?.length)) refused.push({ operation, data, errors });
  if (!data) continue;
  answers[operation] = data;
  const isQuery = document.definitions[0].operation === "query";
  cache.write({ query: document, variables, result: data, dataId: isQuery ? "ROOT_QUERY" : "ROOT_MUTATION" });
  if (isQuery) asked.push({ operation, document, variables });
}
const read = Object.fromEntries(asked.map(({ operation, document, variables }) => {
  const { complete, result } = cache.diff({ query: document, variables, returnPartialData: true, optimistic: false });
  return [operation, complete ? result : null];
}));
console.log(JSON.stringify({ answers, read, keys: Object.keys(cache.extract()).sort(), refused, warnings }));
