// Typed documents of operations/*.graphql, checked against the committed schema: src/graph.generated.ts.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import * as documents from "@graphql-codegen/typed-document-node";
import { buildASTSchema, parse, validate } from "graphql";

const here = new URL(".", import.meta.url);
const schema = parse(readFileSync(new URL("../../schema/fittracker/api.graphql", here), "utf8"));
const folder = new URL("operations/", here);
const files = readdirSync(folder).sort();
const parsed = files.map((name) => ({ location: name, document: parse(readFileSync(new URL(name, folder), "utf8")) }));

const whole = { kind: "Document", definitions: parsed.flatMap(({ document }) => document.definitions) };
const complaints = validate(buildASTSchema(schema), whole);
if (complaints.length > 0) {
  for (const each of complaints) console.error(each.message);
  process.exit(1);
}

const config = {
  strictScalars: true,
  scalars: { DateTime: "string", LocalDate: "string", TimeZone: "string", IdempotencyKey: "string" },
  enumsAsTypes: true,
  useTypeImports: true,
  documentMode: "documentNode",
  nonOptionalTypename: true,
};
const generated = await codegen({
  filename: "graph.generated.ts",
  schema,
  documents: parsed,
  config: {},
  plugins: [{ operations: config }, { documents: config }],
  pluginMap: { operations, documents },
});
writeFileSync(new URL("src/graph.generated.ts", here), `// Made by generate.mjs.\n${generated}`);
