// What to tell somebody of a failure: the graph's words, the browser's, or that nothing answers.
import { CombinedGraphQLErrors } from "@apollo/client";

export function complaintOf(error: unknown): string {
  if (CombinedGraphQLErrors.is(error)) return error.message;
  if (error instanceof DOMException) return "Nothing was chosen, or the browser has no passkey of this site.";
  return "The graph does not answer. Is the network there?";
}
