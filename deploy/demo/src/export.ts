// Everything that the graph keeps about a person, by the operations of `fittracker export`, in the files that it writes.
import { ApolloLink } from "@apollo/client";
import { strToU8, zipSync } from "fflate";
import { firstValueFrom } from "rxjs";
import { client } from "./client";
import { LISTINGS, type Listing } from "./export.generated";
import { BeginExportDocument } from "./graph.generated";

export { LISTINGS };

/** Counts changes of the files' shape, as deploy/personal_data/folder.py does. */
const FORMAT_VERSION = 1;
const LAST_DAY = "2200-12-31";

/** `whole` of the lists are there, and `records` in all; `name` is the list that is being read. */
export interface Progress {
  name: string;
  whole: number;
  records: number;
}

type Json = { [name: string]: unknown };

interface Place {
  lines: string[];
  cursor: string | null;
  isWhole: boolean;
}

/** One person's. `fetch` goes on after the last whole page that an earlier one had. */
export class Export {
  private readonly places = new Map<string, Place>();

  constructor(private readonly personId: string) {}

  get records(): number {
    return [...this.places.values()].reduce((sum, each) => sum + each.lines.length, 0);
  }

  /** The graph is told first, for its security log. Throws what the graph or the network said. */
  async fetch(tell: (progress: Progress) => void): Promise<void> {
    const variables = { input: { isContinued: this.places.size > 0 } };
    const { data } = await client.mutate({ mutation: BeginExportDocument, variables });
    const refusals = data?.beginExport?.userErrors ?? [];
    if (refusals.length > 0) throw new Error(refusals.map((each) => each.message).join(" "));
    for (const [whole, listing] of LISTINGS.entries()) {
      const place = this.placeOf(listing);
      while (!place.isWhole) {
        tell({ name: listing.name, whole, records: this.records });
        const { records, cursor } = pageOf(listing, await ask(listing, place.cursor));
        place.lines.push(...records.map((each) => JSON.stringify(each)));
        place.cursor = cursor;
        place.isWhole = cursor === null;
      }
    }
  }

  /** The whole export as `fittracker import` reads it; `from` is the graph's address. */
  zip(from: string): Blob {
    const files: Record<string, Uint8Array> = {};
    const records: Record<string, number> = {};
    for (const [name, { lines }] of this.places) {
      files[`${name}.jsonl`] = strToU8(lines.map((each) => `${each}\n`).join(""));
      records[`${name}.jsonl`] = lines.length;
    }
    const manifest = { personId: this.personId, format: FORMAT_VERSION, from, finishedAt: new Date().toISOString(), records };
    files["manifest.json"] = strToU8(`${JSON.stringify(manifest, null, 2)}\n`);
    return new Blob([zipSync(files) as Uint8Array<ArrayBuffer>], { type: "application/zip" });
  }

  private placeOf({ name }: Listing): Place {
    const place = this.places.get(name) ?? { lines: [], cursor: null, isWhole: false };
    this.places.set(name, place);
    return place;
  }
}

/** Past the cache, which would add `__typename` to every record and keep all of them. */
async function ask({ document, walk }: Listing, cursor: string | null): Promise<Json> {
  const variables = walk === "pages" ? { after: cursor } : walk === "days" ? { date: cursor ?? LAST_DAY } : {};
  const { data, errors } = await firstValueFrom(ApolloLink.execute(client.link, { query: document, variables }, { client }));
  if (errors?.[0]) throw new Error(errors[0].message);
  return data as Json;
}

function pageOf({ path, walk }: Listing, data: Json): { records: unknown[]; cursor: string | null } {
  const found = path.reduce<unknown>((each, name) => (each as Json)[name], data) as Json | null;
  if (walk === "once") return { records: [found], cursor: null };
  if (walk === "days") return found ? { records: [found], cursor: dayBefore(found.effectiveFrom as string) } : { records: [], cursor: null };
  const { nodes, pageInfo } = found as { nodes: unknown[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
  return { records: nodes, cursor: pageInfo.hasNextPage ? pageInfo.endCursor : null };
}

/** Null before the calendar's first day, for there is nothing more to ask. */
function dayBefore(day: string): string | null {
  const before = new Date(Date.parse(`${day}T12:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  return before >= "1900-01-01" ? before : null;
}
