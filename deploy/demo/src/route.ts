// The place in the app stands behind the address's #, so that a reload stays where it was and no server needs to know.
import { useSyncExternalStore } from "react";

/** Of the navigation; the settings are behind the person's name, the notifications behind the bell. */
export const PAGES = ["today", "diary", "workout", "weight", "week"] as const;
const ELSEWHERE = ["settings", "notifications"] as const;
export type Page = (typeof PAGES)[number] | (typeof ELSEWHERE)[number];

export interface Route {
  page: Page;
  date: string | null;
}

const subscribe = (listener: () => void): (() => void) => {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
};

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [name, date] = hash.replace(/^#\/?/, "").split("/");
  const page = [...PAGES, ...ELSEWHERE].find((each) => each === name) ?? "today";
  return { page, date: date && /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : null };
}

export const linkTo = (page: Page, date?: string): string => `#/${page}${date ? `/${date}` : ""}`;
