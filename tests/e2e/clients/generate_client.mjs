// Generates a typed client of operations/*.graphql, as front-end teams do in their builds, and compiles what uses it.
//
// node generate_client.mjs API_SCHEMA.graphql USE.ts
// Prints {"operations": [names], "errors": [what `tsc --strict` says of the generated client and of USE.ts]}.
import { readFileSync, readdirSync, mkdtempSync, writeFileSync, rmSync } from "node:fs";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { codegen } from "@graphql-codegen/core";
import * as operationsPlugin from "@graphql-codegen/typescript-operations";
import * as typedDocuments from "@graphql-codegen/typed-document-node";
import { parse, Kind } from "graphql";
import ts from "typescript";

const here = dirname(fileURLToPath(import.meta.url));
const [, , schemaFile, use] = process.argv;
const folder = join(here, "operations");
const documents = readdirSync(folder).sort().map((name) => ({ location: join(folder, name), document: parse(readFileSync(join(folder, name), "utf8")) }));
const scalars = { DateTime: "string", LocalDate: "string", LocalTime: "string", TimeZone: "string", IdempotencyKey: "string" };
const config = { strictScalars: true, scalars, enumsAsTypes: true, useTypeImports: true, documentMode: "documentNode", nonOptionalTypename: true };
const generated = await codegen({
  filename: "client.ts",
  schema: parse(readFileSync(schemaFile, "utf8")),
  documents,
  config: {},
  plugins: [{ operations: config }, { documents: config }],
  pluginMap: { operations: operationsPlugin, documents: typedDocuments },
});
const scratch = mkdtempSync(join(here, "node_modules", "generated-"));
try {
  writeFileSync(join(scratch, "client.ts"), generated);
  writeFileSync(join(scratch, "use.ts"), readFileSync(use, "utf8"));
  const program = ts.createProgram([join(scratch, "use.ts")], {
    strict: true, noEmit: true, noUnusedLocals: false, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler, types: [], skipLibCheck: true,
  });
  const errors = ts.getPreEmitDiagnostics(program).map((each) => {
    const place = each.file ? each.file.getLineAndCharacterOfPosition(each.start).line + 1 : 0;
    return `${each.file?.fileName.split("/").pop()}:${place}: ${ts.flattenDiagnosticMessageText(each.messageText, "\n")}`;
  });
  const operations = documents.flatMap(({ document }) => document.definitions)
    .filter((each) => each.kind === Kind.OPERATION_DEFINITION).map((each) => each.name.value);
  console.log(JSON.stringify({ operations, errors, lines: generated.split("\n").length }));
} finally {
  rmSync(scratch, { recursive: true });
}
