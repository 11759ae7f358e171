// Several of a few words, as check boxes.
import { title } from "./format";

interface Offered<Word extends string> {
  legend: string;
  of: readonly Word[];
  chosen: readonly Word[];
  /** Which cannot be chosen now. */
  isShut?: (word: Word) => boolean;
  onChange: (chosen: Word[]) => void;
}

export function Choices<Word extends string>({ legend, of, chosen, isShut, onChange }: Offered<Word>) {
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {of.map((each) => (
        <label key={each}>
          <input
            type="checkbox"
            checked={chosen.includes(each)}
            disabled={isShut?.(each) ?? false}
            onChange={({ target }) => onChange(of.filter((word) => (word === each ? target.checked : chosen.includes(word))))}
          />
          {title(each)}
        </label>
      ))}
    </fieldset>
  );
}
