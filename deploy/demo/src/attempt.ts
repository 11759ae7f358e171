// Something that the person asks of the graph at once, and what the graph has against it.
import { useState } from "react";
import { complaintOf } from "./complaint";

interface Refused {
  userErrors: readonly { message: string }[];
}

/** `attempt` does something and says whether it was done; `complaint` is why the last one was not. */
export function useAttempt() {
  const [complaint, setComplaint] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  async function attempt(what: () => Promise<Refused | null | undefined>): Promise<boolean> {
    setComplaint(null);
    setIsBusy(true);
    try {
      const refusals = (await what())?.userErrors ?? [];
      setComplaint(refusals.map((each) => each.message).join(" ") || null);
      return refusals.length === 0;
    } catch (error) {
      setComplaint(complaintOf(error));
      return false;
    } finally {
      setIsBusy(false);
    }
  }

  return { attempt, complaint, isBusy };
}
