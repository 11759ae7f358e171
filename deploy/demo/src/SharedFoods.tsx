// Foods that other people show to everybody: one is copied, and what is eaten is the copy, whatever becomes of theirs.
import { useMutation, useQuery } from "@apollo/client/react";
import { useAttempt } from "./attempt";
import { kcal } from "./format";
import { CopyPublishedFoodDocument, PublicFoodsDocument, type FoodLineFragment } from "./graph.generated";

interface Wanted {
  search: string | null;
  gtin: string | null;
}

export function SharedFoods({ wanted, onCopied }: { wanted: Wanted; onCopied: (food: FoodLineFragment) => void }) {
  const shown = useQuery(PublicFoodsDocument, { variables: wanted }).data?.publicFoods.nodes ?? [];
  const [copy] = useMutation(CopyPublishedFoodDocument);
  const { attempt, complaint, isBusy } = useAttempt();
  if (shown.length === 0) return null;

  function take(publishedFoodId: string) {
    void attempt(async () => {
      const input = { publishedFoodId, idempotencyKey: crypto.randomUUID() };
      const answer = (await copy({ variables: { input } })).data?.copyPublishedFood;
      if (answer?.food) onCopied(answer.food);
      return answer;
    });
  }

  return (
    <>
      <h3>Shared by others</h3>
      {complaint && <p role="alert">{complaint}</p>}
      <ul className="foods" aria-label="Shared foods">
        {shown.map((food) => (
          <li key={food.id}>
            <button disabled={isBusy} onClick={() => take(food.id)}>
              <span>
                {food.name}
                {food.brand && <small> {food.brand}</small>}
                {food.authorName && <small> by {food.authorName}</small>}
              </span>
              <small>{kcal(food.per100.energyKcal)} in 100 g</small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
