// Values that parts of a page share: `get`, `set`, and a hook that draws anew when the value changes.
import { useSyncExternalStore } from "./react.js";

export function createStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(store) {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** As `createStore`, kept in the browser's storage of this tab ("session") or of this address ("local"). */
export function createKeptStore(key, value, place = "local") {
  const storage = place === "local" ? localStorage : sessionStorage;
  const store = createStore(read(storage, key) ?? value);
  store.subscribe(() => {
    try {
      storage.setItem(key, JSON.stringify(store.get()));
    } catch {
      // full, or forbidden: the value lives as long as the page
    }
  });
  return store;
}

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}
