// The licences of the npm packages that a build took something of; of the builds of these pages and of the demo.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes NOTICES.txt into `folder`, from esbuild's `metafile` and the packages in node_modules below the present directory. */
export function writeNotices(metafile, folder) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = [...input.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].at(-1);
    if (found) names.add(input.slice(0, found.index + found[0].length));
  }
  const notices = [...names].sort().map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json")));
    const texts = readdirSync(directory).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    const text = texts.map((file) => readFileSync(join(directory, file), "utf8").trim()).join("\n\n");
    return `${name} ${version} (${license})\n\n${text || "The package carries no licence file; its licence is as named above."}`;
  });
  const rule = "-".repeat(80);
  writeFileSync(join(folder, "NOTICES.txt"), `Software in these files, and its licences.\n\n${notices.join(`\n\n${rule}\n\n`)}\n`);
}
