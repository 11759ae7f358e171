// Typed documents of operations/*.graphql, checked against the committed schema: src/graph.generated.ts. And the operations of
// `fittracker export`, with where each has its records and how it is read to its end: src/export.generated.ts.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import * as documents from "@graphql-codegen/typed-document-node";
import { buildASTSchema, Kind, parse, validate } from "graphql";

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
  scalars: { DateTime: "string", LocalDate: "string", LocalTime: "string", TimeZone: "string", IdempotencyKey: "string" },
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

const exports = new URL("../personal_data/operations/", here);
const listings = readdirSync(exports)
  .sort()
  .map((file) => {
    const document = parse(readFileSync(new URL(file, exports), "utf8"), { noLocation: true });
    const [operation] = document.definitions;
    const variables = (operation.variableDefinitions ?? []).map((each) => each.variable.name.value);
    const walk = variables.includes("after") ? "pages" : variables.includes("date") ? "days" : "once";
    return { name: file.replace(".graphql", ""), path: pathOf(operation), walk, document };
  });

/** Where an operation has its records: in the first field that takes an argument, or else in the only one. */
function pathOf(operation) {
  const path = [];
  for (let fields = operation.selectionSet.selections; fields.length === 1; ) {
    const [field] = fields;
    if (field.kind !== Kind.FIELD) break;
    path.push(field.name.value);
    if (field.arguments.length > 0) break;
    fields = field.selectionSet?.selections ?? [];
  }
  return path;
}

const shape = `import type { DocumentNode } from "graphql";

/** A list of a person's: \`path\` leads to it; it is read \`once\`, by \`pages\`, or by \`days\` from the last to the first. */
export interface Listing {
  name: string;
  path: readonly string[];
  walk: "once" | "pages" | "days";
  document: DocumentNode;
}
`;
const table = `export const LISTINGS = ${JSON.stringify(listings)} as unknown as readonly Listing[];\n`;
writeFileSync(new URL("src/export.generated.ts", here), `// Made by generate.mjs.\n${shape}\n${table}`);
