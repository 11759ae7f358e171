// What the front ends of these tests have in common: the tokens of one session, a graphql-ws client that survives their
// end, and how they tell what happens: one JSON object a line, {"connected": n}, {"event": data}, {"refreshed": n},
// {"ended": why}. A line on the standard input asks, which is answered by {"answer": data}; its end closes the client.
import { createInterface } from "node:readline";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

export const say = (told) => console.log(JSON.stringify(told));
export const isRefused = (errors) => errors.some((error) => error.extensions?.code === "UNAUTHENTICATED");

let connections = 0;
export const connected = () => say({ connected: (connections += 1) });

export class Session {
  constructor(url, accessToken, refreshToken) {
    Object.assign(this, { url, accessToken, refreshToken, refreshes: 0, refreshing: undefined });
  }

  bearer() {
    return `Bearer ${this.accessToken}`;
  }

  /** The token to send, renewed before if it is over. */
  async freshBearer() {
    const isExpired = JSON.parse(atob(this.accessToken.split(".")[1])).exp * 1000 <= Date.now();
    if (isExpired) await this.refresh();
    return this.bearer();
  }

  /** Renews the tokens, once for all who ask meanwhile. */
  refresh() {
    return (this.refreshing ??= this.#renew().finally(() => (this.refreshing = undefined)));
  }

  async #renew() {
    const mutation = "mutation ($input: RefreshInput!) { refresh(input: $input) { accessToken refreshToken } }";
    // with the old token, as an HTTP client does that adds it to whatever it sends
    const answer = await this.post({ query: mutation, variables: { input: { refreshToken: this.refreshToken } } });
    if (!answer.data?.refresh) throw new Error(JSON.stringify(answer.errors));
    Object.assign(this, answer.data.refresh);
    say({ refreshed: (this.refreshes += 1) });
  }

  async post(body) {
    const headers = { "content-type": "application/json", authorization: this.bearer() };
    return (await fetch(this.url, { method: "POST", headers, body: JSON.stringify(body) })).json();
  }

  socketClient() {
    return createClient({
      url: this.url.replace("http", "ws"),
      webSocketImpl: WebSocket,
      retryAttempts: 100,
      shouldRetry: () => true, // its default gives up where nobody listens for the moment
      connectionParams: async () => ({ Authorization: await this.freshBearer() }),
      on: { connected },
    });
  }
}

const why = (error) => ({ code: error?.code, reason: error?.reason, message: error?.message, errors: error });

/** An observer of a subscription that tells what it brings and how it ends. */
export const teller = {
  next: (result) => {
    if (result.errors?.length || result.error) say({ ended: why(result.error?.networkError ?? result) });
    else say({ event: result.data });
  },
  error: (error) => say({ ended: why(error) }),
  complete: () => say({ ended: "completed" }),
};

/** Answers each line of the standard input with what `ask` resolves to, until it ends. */
export const answerLines = async (ask) => {
  for await (const _ of createInterface({ input: process.stdin })) {
    try {
      say({ answer: await ask() });
    } catch (error) {
      say({ failed: String(error) });
    }
  }
  process.exit(0);
};
