// The page behind GET /graphql. It talks to the router at its own address only; nothing is loaded from elsewhere.
import { useGraphiQLActions } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { parse } from "graphql";
import { createElement, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import "graphiql/style.css";
import "./page.css";

const WORKERS = { graphql: "graphql.worker.js", json: "json.worker.js" };
const assets = new URL("./", document.currentScript.src);
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? "editor.worker.js", assets)),
};

const endpoint = new URL(location.pathname, location.origin);
const socket = new URL(endpoint);
socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

// Headers of the tab travel as HTTP headers, and as `connection_init` payload when a subscription opens a socket.
const send = createGraphiQLFetcher({ url: endpoint.href, subscriptionUrl: socket.href });

// The editor parses a moment after the last key; whoever runs at once must not have a subscription taken for a query.
function fetcher(parameters, options) {
  let documentAST = options?.documentAST;
  try {
    documentAST = parse(parameters.query);
  } catch {
    // the router words the syntax error
  }
  return send(parameters, { ...options, documentAST });
}

const WELCOME = `# To act as somebody, log in with a mutation
# and put its token into the Headers tab below:
#
#   { "Authorization": "Bearer ..." }
#
# Subscriptions send it too. In development,
# { "x-query-plan": "1" } shows the query plan.

{
  __typename
}
`;

/** The graph in use and what its last reload complained about, polled while the page is visible. */
function useServedGraph() {
  const [graph, setGraph] = useState({});
  const tell = ({ digest, error }) =>
    setGraph((last) => (last.digest === digest && last.error === error ? last : { digest, error }));
  useEffect(() => {
    const ask = async () => {
      if (document.hidden) return;
      try {
        const readiness = await (await fetch(document.body.dataset.readiness)).json();
        tell(readiness.components?.supergraph?.details ?? {});
      } catch {
        tell({ error: "The router does not answer." });
      }
    };
    ask();
    const timer = setInterval(ask, 2000);
    return () => clearInterval(timer);
  }, []);
  return graph;
}

/** Has the editor learn the schema anew when the router has swapped its graph. */
function SchemaFollower({ digest }) {
  const { introspect } = useGraphiQLActions();
  const known = useRef(digest);
  useEffect(() => {
    if (known.current && digest && known.current !== digest) introspect();
    known.current = digest ?? known.current;
  }, [digest, introspect]);
  return null;
}

function Page() {
  const { error, digest } = useServedGraph();
  return createElement(
    "div",
    { className: "router-page" },
    error &&
      createElement(
        "div",
        { className: "router-banner", role: "alert" },
        createElement("strong", null, "The newest schema was refused; the last good one is in use."),
        createElement("pre", null, error),
      ),
    createElement(
      "div",
      { className: "router-graphiql" },
      createElement(
        GraphiQL,
        { fetcher, defaultQuery: WELCOME, shouldPersistHeaders: false },
        createElement(SchemaFollower, { digest }),
      ),
    ),
  );
}

createRoot(document.getElementById("graphiql")).render(createElement(Page));
