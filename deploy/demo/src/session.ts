// Who is signed in. The tokens stand where all tabs see them, because a refresh token is good once.
import { useSyncExternalStore } from "react";

export interface Session {
  userId: string;
  name: string;
  accessToken: string;
  refreshToken: string;
}

const PLACE = "fittracker.session";
const listeners = new Set<() => void>();
let text: string | null = localStorage.getItem(PLACE);
let parsed: Session | null = parse(text);

function parse(stored: string | null): Session | null {
  try {
    return stored ? (JSON.parse(stored) as Session) : null;
  } catch {
    return null; // somebody else's text: nobody is signed in
  }
}

function take(stored: string | null): void {
  if (stored === text) return;
  text = stored;
  parsed = parse(stored);
  for (const each of listeners) each();
}

addEventListener("storage", (event) => {
  if (event.key === PLACE || event.key === null) take(event.newValue);
});

export function currentSession(): Session | null {
  return parsed;
}

export function keepSession(session: Session | null): void {
  if (session) localStorage.setItem(PLACE, JSON.stringify(session));
  else localStorage.removeItem(PLACE);
  take(session ? JSON.stringify(session) : null);
}

/** Calls back when somebody signs in or out, here or in another tab, or when tokens are renewed. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session | null {
  return useSyncExternalStore(onSession, currentSession);
}

/** Whether the access token's time is over, or nearly. */
export function isExpired(session: Session): boolean {
  const claims = session.accessToken.split(".")[1] ?? "";
  const { exp } = JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/"))) as { exp: number };
  return exp * 1000 <= Date.now() + 5_000;
}
