// Builds assets/*.gz and assets/NOTICES.txt from the locked npm packages: `npm ci && npm run build`.
// Our own modules, in modules/, are served as they are and need no build.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const OUT = "assets";
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);

const result = await build({
  entryPoints: {
    react: "vendor/react.js",
    graphiql: "vendor/graphiql.js",
    uplot: "vendor/uplot.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
  },
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  chunkNames: "chunk-[hash]",
  target: "es2022",
  legalComments: "none", // whole licence texts are in NOTICES.txt
  loader: { ".ttf": "dataurl", ".woff2": "dataurl" },
  define: { "process.env.NODE_ENV": '"production"' },
  metafile: true,
  write: false,
});
for (const file of result.outputFiles) {
  // styles of lazy chunks are in graphiql.css already, and no browser would load them by themselves
  if (/chunk-.*\.css$/.test(file.path)) continue;
  // a fixed level and no time stamp: the same packages give the same bytes
  writeFileSync(join(OUT, `${basename(file.path)}.gz`), gzipSync(file.contents, { level: 9 }));
}

const names = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const found = [...input.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].at(-1);
  if (found) names.add(input.slice(0, found.index + found[0].length));
}
const notices = [...names].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const text = texts.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
  return `${name} ${version} (${license})\n\n${text || "The package carries no licence file; its licence is as named above."}`;
});
writeFileSync(join(OUT, "NOTICES.txt"), `Software in these files, and its licences.\n\n${notices.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
for (const file of readdirSync(OUT)) console.log(file, readFileSync(join(OUT, file)).length);
if (!existsSync(join(OUT, "graphiql.js.gz"))) process.exit(1);
