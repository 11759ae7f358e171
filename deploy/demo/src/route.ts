// The place in the app stands behind the address's #, so that a reload stays where it was and no server needs to know.
import { useSyncExternalStore } from "react";

/** Of the navigation; the settings are behind the person's name and lead to the webhooks, the notifications are behind the bell. */
export const PAGES = ["today", "diary", "workout", "weight", "week", "coaching"] as const;
const ELSEWHERE = ["settings", "notifications", "webhooks"] as const;
export type Page = (typeof PAGES)[number] | (typeof ELSEWHERE)[number];

export interface Route {
  page: Page;
  date: string | null;
  id: string | null; // of whom or what the page is, where that is no day
}

const subscribe = (listener: () => void): (() => void) => {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
};

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [name, of] = hash.replace(/^#\/?/, "").split("/");
  const page = [...PAGES, ...ELSEWHERE].find((each) => each === name) ?? "today";
  const isDate = of !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(of);
  return { page, date: isDate ? of : null, id: of && !isDate ? of : null };
}

export const linkTo = (page: Page, of?: string): string => `#/${page}${of ? `/${of}` : ""}`;
