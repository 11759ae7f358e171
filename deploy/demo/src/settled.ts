// What somebody typed, once they pause: a search for every letter would only be thrown away.
import { useEffect, useState } from "react";

const PAUSE_MS = 200;

export function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}
