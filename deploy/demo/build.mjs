// Builds built/ from src/ and the locked npm packages: `npm ci --ignore-scripts && npm run build`. Another folder may be named.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

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
