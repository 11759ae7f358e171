// Builds built/ from src/ and the locked npm packages: `npm ci --ignore-scripts && npm run build`. Another folder may be named.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { writeNotices } from "../../router/server/pages/notices.mjs";

const OUT = process.argv[2] ?? "built";
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

const result = await build({
  entryPoints: { app: "src/main.tsx", vendor: "src/vendor.ts" },
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  chunkNames: "chunk-[hash]",
  target: "es2022",
  jsx: "automatic",
  conditions: ["production"],
  legalComments: "none", // whole licence texts are in NOTICES.txt
  define: { "process.env.NODE_ENV": '"production"' },
  metafile: true,
  write: false,
});
for (const { path, contents } of result.outputFiles) {
  if (basename(path) === "vendor.js") continue; // see src/vendor.ts
  writeFileSync(join(OUT, `${basename(path)}.gz`), gzipSync(contents, { level: 9 }));
}
writeFileSync(join(OUT, "index.html"), readFileSync("src/index.html"));

writeNotices(result.metafile, OUT);
for (const file of readdirSync(OUT)) console.log(file, readFileSync(join(OUT, file)).length);
