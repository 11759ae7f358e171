// Builds assets/*.gz and assets/NOTICES.txt from the locked npm packages: `npm ci && npm run build`.
// Our own modules, in modules/, are served as they are and need no build.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { writeNotices } from "./notices.mjs";

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

writeNotices(result.metafile, OUT);
for (const file of readdirSync(OUT)) console.log(file, readFileSync(join(OUT, file)).length);
if (!existsSync(join(OUT, "graphiql.js.gz"))) process.exit(1);
