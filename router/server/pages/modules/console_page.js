// The console at `/`: what runs, what is asked, where events are, how the graph hangs together. It asks its own router for
// the state every two seconds while it is visible, and nobody else.
import { createElement as h, createRoot, Fragment, useEffect, useRef, useState } from "./react.js";
import { Chart } from "./chart.js";
import { EventFlow } from "./event_flow.js";
import { clock, colourInOrder, colourOf, count, milliseconds, plural } from "./format.js";
import { createKeptStore, useStore } from "./store.js";
import { SupergraphPicture } from "./supergraph_picture.js";
import { Waterfall } from "./waterfall.js";

const EVERY_MILLISECONDS = 2000;
const CHARTED = 6;
const product = document.body.dataset.product;
// the same that GraphiQL keeps its choice under
const theme = createKeptStore("console:theme", localStorage.getItem("graphiql:theme") ?? "");

function applyTheme(name) {
  document.body.classList.remove("graphiql-light", "graphiql-dark");
  if (name) document.body.classList.add(`graphiql-${name}`);
}
applyTheme(theme.get());
theme.subscribe(() => applyTheme(theme.get()));

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

/** The state of now and the one before it, and whether the router answers. */
function useRouterState() {
  const [known, setKnown] = useState({ now: null, before: null, isLost: false });
  useEffect(() => {
    const ask = async () => {
      if (document.hidden) return;
      try {
        const now = await json("console/state.json");
        colourInOrder(now.subgraphs.map((each) => each.name));
        setKnown((last) => ({ now, before: last.now, isLost: false }));
      } catch {
        setKnown((last) => ({ ...last, isLost: true }));
      }
    };
    ask();
    const timer = setInterval(ask, EVERY_MILLISECONDS);
    document.addEventListener("visibilitychange", ask);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return known;
}

function useGraph(digest) {
  const [graph, setGraph] = useState(null);
  useEffect(() => {
    if (digest) json("console/graph.json").then(setGraph, () => {});
  }, [digest]);
  return graph;
}

function Page() {
  const { now, before, isLost } = useRouterState();
  const graph = useGraph(now?.router.digest);
  const [log, setLog] = useState(null);
  if (!now) return h("p", { className: "loading" }, isLost ? "The router does not answer." : "Loading…");
  const parts = now.panels.filter((each) => each.kind === "parts");
  const flows = now.panels.filter((each) => each.kind === "flow");
  return h(
    Fragment,
    null,
    h(Header, { now }),
    isLost && h("p", { className: "console-alert", role: "alert" }, "The router does not answer; this is what it last told."),
    now.router.error && h("div", { className: "console-alert", role: "alert" }, h("strong", null, "The newest schema was refused; the last good one is in use."), h("pre", null, now.router.error)),
    now.panels.filter((each) => each.kind === "failed").map((each) => h("p", { key: each.title, className: "console-alert" }, `${each.title} could not be asked: ${each.error}`)),
    h(
      "main",
      { className: "console" },
      h(Tiles, { now }),
      h(Traffic, { now }),
      parts.map((panel) => h(Parts, { key: panel.title, panel, log, setLog })),
      h(Subgraphs, { rows: now.subgraphs }),
      h(Caches, { caches: now.caches }),
      h(EventFlow, { title: flows[0]?.title ?? "Live events", stages: flows.flatMap((each) => each.stages), before: before?.panels.filter((each) => each.kind === "flow").flatMap((each) => each.stages), live: now.live, liveBefore: before?.live, seconds: before ? now.now - before.now : null }),
      graph && h(SupergraphPicture, { graph }),
      h(Operations, { operations: now.operations }),
      h(Slow, { slow: now.slow }),
    ),
  );
}

function Header({ now }) {
  const chosen = useStore(theme);
  const { router } = now;
  return h(
    "header",
    { className: "page-header" },
    h("h1", null, product),
    h("span", { className: "hint header-note" }, `graph ${router.digest ?? "not loaded"}, generation ${router.generation}`),
    h("nav", { "aria-label": "Links" }, now.links.map((link) => h("a", { key: link.url, href: link.url }, link.title))),
    h("label", { className: "pick" }, h("span", null, "Theme"),
      h("select", { value: chosen, onChange: (event) => theme.set(event.target.value) },
        h("option", { value: "" }, "system"), h("option", { value: "light" }, "light"), h("option", { value: "dark" }, "dark"))),
  );
}

function Section({ title, wide = false, note, children, className = "" }) {
  return h("section", { className: `tile-section ${wide ? "is-wide" : ""} ${className}`, "aria-label": title }, h("h2", null, title, note && h("small", null, note)), children);
}

// ------------------------------------------------------------------------------------------------ what happens now

function lately(values) {
  const last = values.slice(-5);
  return last.reduce((sum, each) => sum + each, 0) / last.length;
}

function total(operations, what) {
  return operations.reduce((sum, each) => sum + lately(each[what]), 0);
}

function Tiles({ now }) {
  // what GraphiQL asks of the schema when it opens says nothing of the product
  const asked = now.operations.filter((each) => each.median !== null && each.name !== "IntrospectionQuery");
  const worst = asked.reduce((most, each) => (most === null || each.p95 > most.p95 ? each : most), null);
  const hits = now.caches.reduce((sum, each) => sum + (each.counts.hit ?? 0), 0);
  const looks = now.caches.reduce((sum, each) => sum + (each.counts.hit ?? 0) + (each.counts.miss ?? 0) + (each.counts.coalesced ?? 0), 0);
  const up = now.subgraphs.filter((each) => each.status !== "DOWN").length;
  const errors = total(now.operations, "errors");
  return h(
    "div",
    { className: "tiles" },
    h(Tile, { label: "operations a second", value: total(now.operations, "rates").toFixed(1) }),
    h(Tile, { label: "errors a second", value: errors.toFixed(1), isBad: errors > 0 }),
    h(Tile, { label: worst ? `p95 of ${worst.name}` : "slowest p95", value: worst ? milliseconds(worst.p95) : "–" }),
    h(Tile, { label: "subgraphs answer", value: `${up} of ${now.subgraphs.length}`, isBad: up < now.subgraphs.length }),
    h(Tile, { label: "live subscribers", value: count(now.live.subscribers) }),
    h(Tile, { label: "cache hits", value: looks ? `${Math.round((hits / looks) * 100)} %` : "–" }),
  );
}

function Tile({ label, value, isBad = false }) {
  return h("div", { className: `tile ${isBad ? "is-bad" : ""}` }, h("strong", null, value), h("span", null, label));
}

function Traffic({ now }) {
  const busiest = [...now.operations].sort((one, other) => sum(other.rates) - sum(one.rates)).slice(0, CHARTED);
  const failing = now.operations.filter((each) => sum(each.errors) > 0).slice(0, CHARTED);
  const rest = now.operations.filter((each) => !busiest.includes(each));
  const series = busiest.map((each) => ({ label: each.name, values: each.rates }));
  if (rest.length) series.push({ label: `${rest.length} more`, values: now.times.map((_, index) => rest.reduce((sum, each) => sum + each.rates[index], 0)) });
  return h(
    Fragment,
    null,
    h(Section, { title: "Requests a second, by operation" },
      series.length ? h(Chart, { times: now.times, series }) : h("p", { className: "empty" }, "Nothing was asked yet.")),
    h(Section, { title: "Errors a second, by operation" },
      failing.length
        ? h(Chart, { times: now.times, series: failing.map((each) => ({ label: each.name, values: each.errors })) })
        : h("p", { className: "empty" }, "None in the last five minutes.")),
  );
}

function sum(values) {
  return values.reduce((total, each) => total + each, 0);
}

// --------------------------------------------------------------------------------------------------- what there is

function Parts({ panel, log, setLog }) {
  return h(
    Section,
    { title: panel.title, wide: true },
    h("div", { className: "table-wrap", tabIndex: 0, role: "group", "aria-label": panel.title },
      h("table", null,
        h("thead", null, h("tr", null, ["part", "state", "address", "process", "log"].map((each) => h("th", { key: each, scope: "col" }, each)))),
        h("tbody", null,
          panel.parts.map((part) =>
            h("tr", { key: part.name },
              h("th", { scope: "row" }, part.name),
              h("td", null, h("span", { className: `state is-${part.state}` }, part.state)),
              h("td", null, h("code", null, part.address || "–")),
              h("td", null, part.detail),
              h("td", null, part.log ? h("button", { type: "button", className: "link", "aria-expanded": log === part.log, onClick: () => setLog(log === part.log ? null : part.log) }, log === part.log ? "close" : "show", h("span", { className: "unseen" }, ` the log of ${part.name}`)) : "–")))))),
    log && h(Log, { name: log }),
  );
}

function Log({ name }) {
  const [lines, setLines] = useState([]);
  const place = useRef(null);
  useEffect(() => {
    let isGone = false;
    const ask = () => json(`console/log/${encodeURIComponent(name)}`).then((answer) => !isGone && setLines(answer.lines), () => !isGone && setLines(["There is no log yet."]));
    ask();
    const timer = setInterval(ask, EVERY_MILLISECONDS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [name]);
  useEffect(() => {
    if (place.current) place.current.scrollTop = place.current.scrollHeight;
  }, [lines]);
  return h("pre", { className: "log", ref: place, tabIndex: 0, "aria-label": `The end of the log of ${name}` }, lines.join("\n") || "The log is empty.");
}

function Subgraphs({ rows }) {
  return h(
    Section,
    { title: "Subgraphs, as the router sees them" },
    h("div", { className: "table-wrap", tabIndex: 0, role: "group", "aria-label": "Subgraphs" },
      h("table", null,
        h("thead", null, h("tr", null, ["subgraph", "state", "requests", "failures", "mean"].map((each) => h("th", { key: each, scope: "col" }, each)))),
        h("tbody", null,
          rows.map((row) =>
            h("tr", { key: row.name },
              h("th", { scope: "row" }, h("span", { className: `dot ${colourOf(row.name)}`, "aria-hidden": true }), ` ${row.name}`),
              h("td", null, h("span", { className: `state is-${row.status === "UP" ? "up" : row.status === "DOWN" ? "down" : "starting"}` }, row.status.toLowerCase())),
              h("td", { className: "number" }, count(row.requests)),
              h("td", { className: "number" }, row.failures ? `${count(row.failures)} (${row.lastError})` : "0"),
              h("td", { className: "number" }, row.meanMilliseconds ? milliseconds(row.meanMilliseconds) : "–")))))),
  );
}

function Caches({ caches }) {
  const used = caches.filter((each) => sum(Object.values(each.counts)) > 0);
  return h(
    Section,
    { title: "Caches" },
    used.length === 0 && h("p", { className: "empty" }, "No look-ups yet."),
    h("ul", { className: "caches" },
      used.map(({ name, size, counts }) => {
        const all = sum(Object.values(counts));
        const share = (counts.hit ?? 0) / all;
        return h("li", { key: name },
          h("span", { className: "cache-name" }, h("strong", null, name), size !== null && ` ${plural(size, "entry", "entries")}`),
          h("span", { className: "cache-bar", "aria-hidden": true }, h("i", { style: { inlineSize: `${share * 100}%` } })),
          h("span", null, `${Math.round(share * 100)} % of ${count(all)} hit`));
      })),
  );
}

// ----------------------------------------------------------------------------------------------------- operations

function Operations({ operations }) {
  const sorted = [...operations].sort((one, other) => other.count - one.count);
  return h(
    Section,
    { title: "Operations", wide: true, note: "since the router started; times of the last 200 of each" },
    sorted.length === 0
      ? h("p", { className: "empty" }, "Nothing was asked yet.")
      : h("div", { className: "table-wrap", tabIndex: 0, role: "group", "aria-label": "Operations" },
          h("table", null,
            h("thead", null, h("tr", null, ["operation", "kind", "times", "errors", "median", "p95"].map((each) => h("th", { key: each, scope: "col" }, each)))),
            h("tbody", null,
              sorted.map((each) =>
                h("tr", { key: each.name },
                  h("th", { scope: "row" }, each.name),
                  h("td", null, each.type),
                  h("td", { className: "number" }, count(each.count)),
                  h("td", { className: "number" }, each.errorCount ? h("span", { className: "badge bad" }, `${count(each.errorCount)} ${Object.keys(each.codes).slice(0, 3).join(", ")}`) : "0"),
                  h("td", { className: "number" }, each.median === null ? "–" : milliseconds(each.median)),
                  h("td", { className: "number" }, each.p95 === null ? "–" : milliseconds(each.p95))))))),
  );
}

function Slow({ slow }) {
  return h(
    Section,
    { title: "Slowest operations", wide: true, note: "of the last 15 minutes" },
    slow.length === 0 && h("p", { className: "empty" }, "Nothing was asked yet."),
    h("div", { className: "slow" },
      slow.map((each) =>
        h("details", { key: `${each.at}${each.name}` },
          h("summary", null, h("strong", null, milliseconds(each.milliseconds)), h("span", null, each.name), each.outcome !== "ok" && h("span", { className: "badge bad" }, each.outcome),
            h("span", { className: "hint" }, `${plural(each.trace.fetches.length, "fetch", "fetches")}, ${clock(each.at * 1000)}`)),
          h(Waterfall, { plans: [], trace: each.trace })))),
  );
}

createRoot(document.getElementById("page")).render(h(Page));
