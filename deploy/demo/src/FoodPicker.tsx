// Finding a food, by name, barcode or habit, and eating some of it. A barcode that nobody knows becomes an own food.
import { useQuery } from "@apollo/client/react";
import { useState, type FormEvent } from "react";
import { warningOf } from "./Avoided";
import { SLOTS } from "./Diary";
import { count, kcal, title } from "./format";
import { FoodByBarcodeDocument, FoodSearchDocument, type FoodLineFragment, type MealSlot } from "./graph.generated";
import { write } from "./outbox";
import { SharedFoods } from "./SharedFoods";
import { useSettled } from "./settled";

const SHORTEST_SEARCH = 2;

export function FoodPicker({ date, recent }: { date: string | null; recent: readonly FoodLineFragment[] }) {
  const [typed, setTyped] = useState("");
  const [picked, setPicked] = useState<FoodLineFragment | null>(null);
  const wanted = useSettled(typed.trim());
  const isBarcode = /^\d{8,14}$/.test(wanted);
  const byName = useQuery(FoodSearchDocument, { variables: { search: wanted }, skip: isBarcode || wanted.length < SHORTEST_SEARCH });
  const byCode = useQuery(FoodByBarcodeDocument, { variables: { gtin: wanted }, skip: !isBarcode });
  const coded = byCode.data?.foodByBarcode;
  const isSearching = wanted.length >= SHORTEST_SEARCH;
  const foods = isBarcode ? (coded ? [coded] : []) : isSearching ? (byName.data?.foods.nodes ?? []) : recent;

  return (
    <section className="card" aria-label="Add food">
      <h2>Add food</h2>
      <label>
        Name or barcode
        <input
          type="search"
          placeholder="oats, or 02000000000015"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setPicked(null);
          }}
        />
      </label>
      {picked ? (
        <Amount
          key={picked.id}
          food={picked}
          date={date}
          onDone={() => {
            setPicked(null);
            setTyped("");
          }}
        />
      ) : (
        <>
          {!isSearching && foods.length > 0 && <h3>Eaten before</h3>}
          <ul className="foods">
            {foods.map((food) => (
              <li key={food.id}>
                <button onClick={() => setPicked(food)}>
                  <span>
                    {food.name}
                    {food.brand && <small> {food.brand}</small>}
                    <Warning food={food} />
                  </span>
                  <small>{kcal(food.per100.energyKcal)} in 100 g</small>
                </button>
              </li>
            ))}
          </ul>
          {(isBarcode || isSearching) && (
            <SharedFoods wanted={{ search: isBarcode ? null : wanted, gtin: isBarcode ? wanted : null }} onCopied={setPicked} />
          )}
          {isBarcode && byCode.data && !coded && <OwnFood key={wanted} gtin={wanted} />}
          {isSearching && !isBarcode && byName.data && foods.length === 0 && <p className="empty">No food has this name.</p>}
        </>
      )}
    </section>
  );
}

function Warning({ food }: { food: FoodLineFragment }) {
  const warning = warningOf(food);
  return warning && <small className="warning"> {warning}</small>;
}

/** When it was eaten: now, or at noon of another day. */
function instantOf(date: string | null): string {
  return (date ? new Date(`${date}T12:00:00`) : new Date()).toISOString();
}

function slotOfNow(): MealSlot {
  const hour = new Date().getHours();
  return hour < 11 ? "BREAKFAST" : hour < 15 ? "LUNCH" : hour < 18 ? "SNACK" : "DINNER";
}

function Amount({ food, date, onDone }: { food: FoodLineFragment; date: string | null; onDone: () => void }) {
  const [grams, setGrams] = useState(String(food.portions[0]?.grams ?? 100));
  const [slot, setSlot] = useState<MealSlot>(slotOfNow);

  function eat(event: FormEvent) {
    event.preventDefault();
    const item = { foodId: food.id, grams: Number(grams) };
    write("meal", { slot, at: instantOf(date), items: [item] }, `${food.name}, ${grams} g`);
    onDone();
  }

  return (
    <form className="amount" onSubmit={eat}>
      <p>
        <strong>{food.name}</strong>
        <Warning food={food} />
      </p>
      <div className="fields">
        <label>
          Grams
          <input type="number" min="1" max="5000" step="any" required value={grams} onChange={(event) => setGrams(event.target.value)} />
        </label>
        <label>
          Meal
          <select value={slot} onChange={(event) => setSlot(event.target.value as MealSlot)}>
            {SLOTS.map((each) => (
              <option key={each} value={each}>
                {title(each)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {food.portions.length > 0 && (
        <div className="portions">
          {food.portions.slice(0, 4).map((portion) => (
            <button type="button" key={portion.label} onClick={() => setGrams(String(portion.grams))}>
              {portion.label}, {count(portion.grams)} g
            </button>
          ))}
        </div>
      )}
      <button className="primary">Add {kcal((food.per100.energyKcal * Number(grams)) / 100)}</button>
      <button type="button" className="quiet" onClick={onDone}>
        Back
      </button>
    </form>
  );
}

/** What stands on a package that nobody has entered yet. */
function OwnFood({ gtin }: { gtin: string }) {
  const [name, setName] = useState("");
  const [label, setLabel] = useState({ energyKcal: "", proteinG: "", carbsG: "", fatG: "" });
  const names = { energyKcal: "kcal", proteinG: "Protein, g", carbsG: "Carbs, g", fatG: "Fat, g" } as const;

  function save(event: FormEvent) {
    event.preventDefault();
    const { energyKcal, proteinG, carbsG, fatG } = label;
    const per100 = { energyKcal: Number(energyKcal), proteinG: Number(proteinG), carbsG: Number(carbsG), fatG: Number(fatG) };
    write("food", { name, category: "OTHER", gtin, per100 }, `New food: ${name}`);
  }

  return (
    <form className="amount" onSubmit={save}>
      <p>Nobody knows this barcode yet. What does the package say?</p>
      <label>
        Name
        <input required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <div className="fields">
        {(Object.keys(names) as (keyof typeof names)[]).map((each) => (
          <label key={each}>
            {names[each]}
            <input
              type="number"
              min="0"
              step="any"
              required
              value={label[each]}
              onChange={(event) => setLabel({ ...label, [each]: event.target.value })}
            />
          </label>
        ))}
      </div>
      <p>
        <small>In 100 g.</small>
      </p>
      <button className="primary">Save the food</button>
    </form>
  );
}
