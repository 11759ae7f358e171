// What a front end writes over the generated client: compiled by generate_client.mjs, never run.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { DashboardDocument, LogMealDocument, NodeDocument, TimelineDocument } from "./client";

declare function ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result>;

export async function dashboard(): Promise<string> {
  const { me } = await ask(DashboardDocument, { date: "2026-01-31" });
  const name: string = me.displayName;
  const left: number | undefined = me.diaryDay.remaining?.energyKcal;
  // @ts-expect-error a value that can be null is not a number
  const target: number = me.diaryDay.target;
  return `${name} ${left} ${target} ${me.day.caloriesConsumed.toFixed()}`;
}

export async function log(food: string): Promise<string[]> {
  const { logMeal } = await ask(LogMealDocument, { input: { slot: "LUNCH", items: [{ foodId: food, grams: 80 }], idempotencyKey: "one" } });
  // @ts-expect-error a closed set has no other value
  await ask(LogMealDocument, { input: { slot: "FEAST", items: [] } });
  // @ts-expect-error a required field is missing
  await ask(LogMealDocument, { input: { items: [] } });
  return logMeal?.userErrors.map((refusal) => `${refusal.field}: ${refusal.message}`) ?? ["failed"];
}

export async function timeline(): Promise<string[]> {
  const { me } = await ask(TimelineDocument, { first: 20 });
  return me.timeline.nodes.map((entry) => {
    switch (entry?.__typename) {
      case "Meal": return `${entry.slot} ${entry.totals.energyKcal}`;
      case "Drink": return `${entry.amountMl} ml`;
      case "WeightEntry": return `${entry.weightKg} kg`;
      case "Workout": return `${entry.name} ${entry.caloriesBurned?.kcal ?? "?"}`;
      default: return "gone";
    }
  });
}

export async function again(id: string): Promise<string | undefined> {
  const { node } = await ask(NodeDocument, { id });
  return node?.id;
}
