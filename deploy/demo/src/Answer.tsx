// What a page shows until its query is answered, and where it is not.
import type { ReactNode } from "react";

interface Asked<Data> {
  data?: Data | undefined;
  error?: { message: string } | undefined;
}

/** Children get the data as soon as there is any, be it of the cache. */
export function Answer<Data>({ of, children }: { of: Asked<Data>; children: (data: Data) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <p role="alert">The graph did not answer: {of.error.message}</p>;
  return <p className="empty">Loading…</p>;
}
