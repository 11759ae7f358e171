// The page behind GET /graphql: GraphiQL with a place to sign in, samples, and a pane that shows what an operation did.
// It talks to the router at its own address only; nothing is loaded from elsewhere.
import { createElement as h, createRoot, useEffect, useMemo, useRef, useState } from "./react.js";
import { DOC_EXPLORER_PLUGIN, explorerPlugin, GraphiQL, HISTORY_PLUGIN, useGraphiQL, useGraphiQLActions } from "./graphiql.js";
import { createFetcher } from "./fetcher.js";
import { colourInOrder } from "./format.js";
import { RunPane } from "./run_pane.js";
import { session, signInAs } from "./session.js";
import { startPlugin } from "./start_pane.js";
import { mendTabs } from "./tabs_markup.js";
import { createKeptStore, createStore, useStore } from "./store.js";

const WORKERS = { graphql: "graphql.worker.js", json: "json.worker.js" };
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? "editor.worker.js", import.meta.url), { type: "module" }),
};

const endpoint = new URL(location.pathname, location.origin);
const isPaneOpen = createKeptStore("workbench:pane", true);
const notice = createStore(null);

const WELCOME = `# Ctrl-Enter runs it;
# its plan is shown below.

{
  __typename
}
`;

/** The graph in use and what its last reload complained about, polled while the page is visible. */
function useServedGraph() {
  const [graph, setGraph] = useState({});
  useEffect(() => {
    const tell = ({ digest, error }) =>
      setGraph((last) => (last.digest === digest && last.error === error ? last : { digest, error }));
    const ask = async () => {
      if (document.hidden) return;
      try {
        const readiness = await (await fetch(document.body.dataset.readiness)).json();
        const details = readiness.components?.supergraph?.details ?? {};
        colourInOrder(details.subgraphs ?? []);
        tell(details);
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

/** What the header and the start pane do with the editors; they stand outside of GraphiQL's own context. */
const editors = { current: null };

function EditorHandle() {
  const actions = useGraphiQLActions();
  const queryEditor = useGraphiQL((each) => each.queryEditor);
  const variableEditor = useGraphiQL((each) => each.variableEditor);
  const operationName = useGraphiQL((each) => each.operationName);
  useEffect(() => {
    editors.current = { actions, queryEditor, variableEditor, operationName };
  });
  return null;
}

function openSample(sample) {
  const { actions, queryEditor, variableEditor } = editors.current;
  const written = queryEditor.getValue().trim();
  if (written && written !== WELCOME.trim()) actions.addTab();
  setTimeout(() => {
    queryEditor.setValue(`# ${sample.title}\n${sample.operation}`);
    variableEditor?.setValue(sample.variables ?? "");
  });
}

function copyLink() {
  const { queryEditor, variableEditor, operationName } = editors.current;
  const link = new URL(endpoint);
  link.searchParams.set("query", queryEditor.getValue());
  if (variableEditor?.getValue().trim()) link.searchParams.set("variables", variableEditor.getValue());
  if (operationName) link.searchParams.set("operationName", operationName);
  history.replaceState(null, "", link);
  navigator.clipboard?.writeText(link.href).catch(() => {});
  say("The address of this page now holds the operation.");
}

function say(text, isError = false) {
  const told = { text, isError };
  notice.set(told);
  setTimeout(() => notice.get() === told && notice.set(null), isError ? 8000 : 3000);
}

async function actAs(about, person) {
  try {
    await signInAs(endpoint, about.signIn, person);
    if (person) say(`Signed in as ${person.name}.`);
  } catch (error) {
    say(`Not signed in: ${error.message}`, true);
  }
}

function Header({ about }) {
  const current = useStore(session);
  const people = about.signIn?.people ?? [];
  const features = [...new Set(about.samples.map((each) => each.feature))];
  return h(
    "header",
    { className: "page-header" },
    h("h1", null, about.title),
    people.length > 0 &&
      h("label", { className: "pick" }, h("span", null, "Sign in as"),
        h("select", { value: current?.name ?? "", "data-signed-in": current?.name ?? "", onChange: (event) => actAs(about, people.find((each) => each.name === event.target.value) ?? null) },
          h("option", { value: "" }, "nobody"),
          people.map((person) => h("option", { key: person.name, value: person.name }, person.name)))),
    about.samples.length > 0 &&
      h("label", { className: "pick" }, h("span", null, "Sample"),
        h("select", { value: "", onChange: (event) => openSample(about.samples[event.target.value]) },
          h("option", { value: "", disabled: true }, "choose…"),
          features.map((feature) =>
            h("optgroup", { key: feature, label: feature },
              about.samples.map((sample, index) => sample.feature === feature && h("option", { key: index, value: index }, sample.title)))))),
    h("nav", { "aria-label": "Links" },
      h("button", { type: "button", className: "link", onClick: copyLink }, "Link to this"),
      about.links.map((link) => h("a", { key: link.url, href: link.url }, link.title)),
      about.console && h("a", { href: "/" }, "Console")),
  );
}

function Notice() {
  const told = useStore(notice);
  return h("div", { className: `notice ${told ? "is-shown" : ""} ${told?.isError ? "is-bad" : ""}`, role: "status" }, told?.text ?? "");
}

/** `?query=&variables=&headers=&operationName=` of the address, as props of GraphiQL. */
function fromAddress() {
  const given = new URLSearchParams(location.search);
  const props = { initialQuery: given.get("query"), initialVariables: given.get("variables"), initialHeaders: given.get("headers"), operationName: given.get("operationName") };
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== null));
}

function Page({ about }) {
  const { error, digest } = useServedGraph();
  const isOpen = useStore(isPaneOpen);
  const fetcher = useMemo(() => createFetcher(endpoint, about), [about]);
  const given = useMemo(fromAddress, []);
  const main = useRef(null);
  useEffect(() => mendTabs(main.current), []);
  const plugins = useMemo(() => [startPlugin(about, openSample, (person) => actAs(about, person)), explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN], [about]);
  return h(
    "div",
    { className: "router-page" },
    h(Header, { about }),
    error && h("div", { className: "router-banner", role: "alert" },
      h("strong", null, "The newest schema was refused; the last good one is in use."), h("pre", null, error)),
    h("main", { className: "router-graphiql", ref: main },
      h(GraphiQL,
        { fetcher, plugins, referencePlugin: DOC_EXPLORER_PLUGIN, visiblePlugin: plugins[0], defaultQuery: WELCOME, shouldPersistHeaders: true, schemaDescription: true, inputValueDeprecation: true, ...given },
        h(GraphiQL.Logo, null, " "),
        h(SchemaFollower, { digest }),
        h(EditorHandle))),
    h(RunPane, { isOpen, setOpen: isPaneOpen.set }),
    h(Notice),
  );
}

const about = await (await fetch(new URL("workbench.json", import.meta.url))).json();
document.title = about.title;
createRoot(document.getElementById("page")).render(h(Page, { about }));
