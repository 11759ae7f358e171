// Writes wait here until the graph has taken them: in order, over reloads, each under its idempotency key, so that one
// whose answer was lost is not done twice.
import { useSyncExternalStore } from "react";
import { CombinedGraphQLErrors } from "@apollo/client";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { client, isOnline, isUnauthenticated } from "./client";
import {
  CreateFoodDocument,
  LogMealDocument,
  LogSetDocument,
  LogWaterDocument,
  LogWeightDocument,
  StartWorkoutDocument,
  type CreateFoodMutationVariables,
  type LogMealMutationVariables,
  type LogSetMutationVariables,
  type LogWaterMutationVariables,
  type LogWeightMutationVariables,
  type StartWorkoutMutationVariables,
} from "./graph.generated";
import { currentSession, onSession } from "./session";

/** What may wait, with the input of each. */
export interface Writes {
  meal: LogMealMutationVariables["input"];
  water: LogWaterMutationVariables["input"];
  weight: LogWeightMutationVariables["input"];
  workout: StartWorkoutMutationVariables["input"];
  set: LogSetMutationVariables["input"];
  food: CreateFoodMutationVariables["input"];
}
export type Kind = keyof Writes;

export interface Entry {
  key: string;
  userId: string;
  kind: Kind;
  label: string; // for people
  input: Writes[Kind];
}

interface Payload {
  userErrors: readonly { message: string }[];
}

const DOCUMENTS: Record<Kind, TypedDocumentNode<Record<string, unknown>, { input: never }>> = {
  meal: LogMealDocument,
  water: LogWaterDocument,
  weight: LogWeightDocument,
  workout: StartWorkoutDocument,
  set: LogSetDocument,
  food: CreateFoodDocument,
} as never; // each document takes the input of its kind, which a record of them cannot say

/** Codes of answers that are the same however often one asks. */
const FINAL = new Set(["BAD_USER_INPUT", "VALIDATION_ERROR", "GRAPHQL_VALIDATION_FAILED", "FORBIDDEN", "NOT_FOUND", "CONFLICT"]);
const PLACE = "fittracker.outbox";
const LONGEST_PAUSE_MS = 30_000;

export interface OutboxState {
  waiting: readonly Entry[];
  refused: readonly string[];
}

const listeners = new Set<() => void>();
let state: OutboxState = { waiting: stored(), refused: [] };
let isSending = false;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function stored(): Entry[] {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "[]") as Entry[];
  } catch {
    return [];
  }
}

function become(next: Partial<OutboxState>): void {
  state = { ...state, ...next };
  for (const each of listeners) each();
}

/** The stored list is what counts: another tab may have added to it, or sent from it. */
function change(edit: (entries: Entry[]) => Entry[]): void {
  const waiting = edit(stored());
  localStorage.setItem(PLACE, JSON.stringify(waiting));
  become({ waiting });
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** What waits for the person who is signed in, and what the graph refused of it. */
export function useOutbox(): OutboxState {
  const { waiting, refused } = useSyncExternalStore(subscribe, () => state);
  const userId = currentSession()?.userId;
  return { waiting: waiting.filter((each) => each.userId === userId), refused };
}

export function forgetRefusals(): void {
  become({ refused: [] });
}

/** Takes a write and sends it as soon as that can be. */
export function write<K extends Kind>(kind: K, input: Writes[K], label: string): void {
  const session = currentSession();
  if (!session) return;
  const entry: Entry = { key: newKey(), userId: session.userId, kind, label, input };
  change((entries) => [...entries, entry]);
  void sendAll();
}

/** crypto.randomUUID is not there where a phone asks this machine over plain HTTP. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendAll(): Promise<void> {
  if (isSending) return;
  isSending = true;
  clearTimeout(timer);
  try {
    for (let entry = next(); entry && isOnline(); entry = next()) {
      if (!(await send(entry))) {
        failures += 1;
        timer = setTimeout(() => void sendAll(), Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures));
        return;
      }
      failures = 0;
    }
  } finally {
    isSending = false;
  }
}

function next(): Entry | undefined {
  const userId = currentSession()?.userId;
  return stored().find((each) => each.userId === userId);
}

/** Whether it is settled, done or refused. False: it stays, and is sent again. */
async function send(entry: Entry): Promise<boolean> {
  const complaint = await attempt(entry);
  if (complaint === "again") return false;
  change((entries) => entries.filter((each) => each.key !== entry.key));
  if (complaint) become({ refused: [...state.refused, `${entry.label}: ${complaint}`] });
  return true;
}

/** Null where it was done, "again" where it may be done later, otherwise why it never will be. */
async function attempt(entry: Entry): Promise<string | null> {
  try {
    const input = { ...entry.input, idempotencyKey: entry.key };
    const { data } = await client.mutate({ mutation: DOCUMENTS[entry.kind], variables: { input: input as never } });
    if (entry.kind === "food") await client.refetchQueries({ include: "active" }); // a page asks for its barcode
    const payload = Object.values(data ?? {}).find((each): each is Payload => typeof each === "object" && each !== null);
    return payload?.userErrors[0]?.message ?? null;
  } catch (error) {
    if (isUnauthenticated(error) || !CombinedGraphQLErrors.is(error)) return "again";
    const final = error.errors.find((each) => FINAL.has(String(each.extensions?.code)));
    return final ? final.message : "again";
  }
}

addEventListener("online", () => void sendAll());
addEventListener("storage", (event) => {
  if (event.key === PLACE) become({ waiting: stored() });
});
onSession(() => void sendAll());
void sendAll();
