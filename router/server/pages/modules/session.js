// Who the page acts as: a made-up person of the workbench's list, whose token is got by the product's own operation.
import { createKeptStore } from "./store.js";

const RENEW_BEFORE_MILLISECONDS = 20_000;

/** `{ name, token }`, or null where nobody is signed in. Kept until the tab is closed. */
export const session = createKeptStore("workbench:session", null, "session");

/** Signs in as `person` of `signIn`; null signs out. Throws an Error that says why not. */
export async function signInAs(endpoint, signIn, person) {
  if (person === null) {
    session.set(null);
    return;
  }
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: signIn.operation, variables: person.variables }),
  });
  const { data, errors } = await answer.json();
  const token = signIn.token.split(".").reduce((value, key) => value?.[key], data);
  if (typeof token !== "string") throw new Error(errors?.[0]?.message ?? "The answer holds no token.");
  session.set({ name: person.name, token });
}

/** The header that says who asks, or {}. A token that is about to expire is replaced before it is sent. */
export async function authorization(endpoint, signIn) {
  const current = session.get();
  if (!signIn || !current) return {};
  if (expiry(current.token) - Date.now() < RENEW_BEFORE_MILLISECONDS) {
    const person = signIn.people.find((each) => each.name === current.name);
    await signInAs(endpoint, signIn, person ?? null);
  }
  const token = session.get()?.token;
  return token ? { [signIn.header]: `${signIn.prefix}${token}` } : {};
}

/** Milliseconds since 1970 at which a JSON Web Token expires; never, for other tokens. */
function expiry(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).exp * 1000 || Infinity;
  } catch {
    return Infinity;
  }
}
