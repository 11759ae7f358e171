// A page's subscription, begun again when it ends: a subgraph that died ends it, while a router that restarts or a token
// that ran out only closes the socket, which client.ts opens again.
import { useSubscription } from "@apollo/client/react";
import type { OperationVariables } from "@apollo/client";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useEffect, useRef } from "react";
import { client } from "./client";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** What comes goes into the cache, and `onData` is told of it. */
export function useLive<Data, Variables extends OperationVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  onData?: (data: Data) => void,
): void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pause = useRef(FIRST_PAUSE_MS);

  function again() {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      restart();
      void client.refetchQueries({ include: "active" }); // what was told meanwhile
    }, pause.current);
    pause.current = Math.min(LONGEST_PAUSE_MS, 2 * pause.current);
  }

  const options = {
    variables,
    ignoreResults: true, // pages show what is in the cache
    onError: again,
    onComplete: again,
    onData: ({ data }: { data: { data?: unknown } }) => {
      pause.current = FIRST_PAUSE_MS;
      if (data.data) onData?.(data.data as Data);
    },
  };
  // whether a document has variables at all is not known of a generic one, and the hook's type asks for it
  const { restart } = useSubscription(document, options as never);
  useEffect(() => () => clearTimeout(timer.current), []);
}
