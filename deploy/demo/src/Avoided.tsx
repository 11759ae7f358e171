// What the person avoids in food, and what a food that conflicts with it says.
import type { ApolloCache } from "@apollo/client";
import { useMutation } from "@apollo/client/react";
import { useState, type FormEvent } from "react";
import { Choices } from "./Choices";
import { complaintOf } from "./complaint";
import { title, words } from "./format";
import {
  SetDietaryPreferencesDocument,
  SettingsDocument,
  type Allergen,
  type Diet,
  type FoodLineFragment,
  type SettingsQuery,
} from "./graph.generated";

/** In the order in which labels in the European Union name them. */
const ALLERGENS: readonly Allergen[] = [
  "GLUTEN", "CRUSTACEANS", "EGGS", "FISH", "PEANUTS", "SOYBEANS", "MILK", "NUTS", "CELERY", "MUSTARD", "SESAME", "SULPHITES", "LUPIN", "MOLLUSCS",
];
const DIETS: readonly Diet[] = ["VEGETARIAN", "VEGAN"];

/** Why not to eat it, as far as is told; nothing where nothing speaks against it or too little is told. */
export function warningOf(food: FoodLineFragment): string | null {
  const fit = food.dietaryFit;
  if (fit?.fit !== "CONFLICTS") return null;
  const reasons = fit.contains.map(words);
  if (fit.diet === "CONFLICTS") reasons.push("what your diet leaves out");
  return `contains ${reasons.join(", ")}`;
}

/** Foods that were read before were judged by what was avoided then. */
function forgetJudgements(cache: ApolloCache): void {
  const kept = cache.extract() as Record<string, unknown>;
  for (const id of Object.keys(kept)) if (id.startsWith("Food:")) cache.evict({ id, fieldName: "dietaryFit" });
}

export function Avoided({ chosen }: { chosen: SettingsQuery["me"]["dietaryPreferences"] }) {
  const [avoid, setAvoid] = useState<readonly Allergen[]>(chosen.avoid);
  const [diet, setDiet] = useState<Diet | null>(chosen.diet);
  const [said, setSaid] = useState<{ text: string; isComplaint: boolean } | null>(null);
  const [set, setting] = useMutation(SetDietaryPreferencesDocument, {
    refetchQueries: [SettingsDocument],
    awaitRefetchQueries: true,
    update: forgetJudgements,
  });

  async function save(event: FormEvent) {
    event.preventDefault();
    try {
      const input = { avoid: [...avoid], diet, expectedVersion: chosen.version };
      const refusal = (await set({ variables: { input } })).data?.setDietaryPreferences?.userErrors[0];
      setSaid(refusal ? { text: refusal.message, isComplaint: true } : { text: "Saved.", isComplaint: false });
    } catch (error) {
      setSaid({ text: complaintOf(error), isComplaint: true });
    }
  }

  return (
    <section className="card" aria-label="What you avoid">
      <h2>What you avoid</h2>
      <p>
        Foods that are told to contain it carry a warning. Of many foods nobody has told anything, so a food without a warning is not free of
        it: what stands on the package counts.
      </p>
      <form onSubmit={(event) => void save(event)}>
        <Choices legend="Warn of" of={ALLERGENS} chosen={avoid} onChange={setAvoid} />
        <label>
          Diet
          <select value={diet ?? ""} onChange={(event) => setDiet((event.target.value || null) as Diet | null)}>
            <option value="">All kinds of food</option>
            {DIETS.map((each) => (
              <option key={each} value={each}>
                {title(each)}
              </option>
            ))}
          </select>
        </label>
        <button className="primary" disabled={setting.loading}>
          Save
        </button>
      </form>
      {said && <p role={said.isComplaint ? "alert" : "status"}>{said.text}</p>}
    </section>
  );
}
