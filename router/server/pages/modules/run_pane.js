// The pane below the editors: what the last operation did, its events, and what was refused.
import { createElement as h, Fragment, useState } from "./react.js";
import { parse, print } from "./graphiql.js";
import { bytes, clock, milliseconds, plural } from "./format.js";
import { eventLog, lastRun } from "./fetcher.js";
import { useStore } from "./store.js";
import { Waterfall } from "./waterfall.js";

export function RunPane({ isOpen, setOpen }) {
  const run = useStore(lastRun);
  const log = useStore(eventLog);
  const [wanted, setTab] = useState("plan");
  const refused = run ? run.errors.length + (run.trace?.withheld.length ?? 0) : 0;
  const tabs = [
    ["plan", "Plan"],
    ["events", log.total ? `Events (${log.total})` : "Events"],
    ["refused", refused ? `Refused (${refused})` : "Refused"],
    ["weighed", "Weighed"],
    ["text", "Text"],
  ];
  const show = (name) => {
    setTab(name);
    setOpen(true);
  };
  return h(
    "section",
    { className: `run-pane ${isOpen ? "is-open" : ""}`, "aria-label": "Last operation" },
    h(
      "div",
      { className: "run-tabs" },
      h(
        "div",
        { role: "tablist", "aria-label": "What the last operation did" },
        tabs.map(([name, label]) =>
          h("button", {
            key: name, type: "button", role: "tab", id: `tab-${name}`, "aria-selected": isOpen && wanted === name,
            "aria-controls": isOpen ? "run-panel" : undefined, onClick: () => show(name),
          }, label),
        ),
      ),
      h("span", { className: "run-summary" }, run ? summary(run, log) : "Run an operation to see its plan."),
      h("button", { type: "button", className: "quiet", onClick: () => setOpen(!isOpen), "aria-expanded": isOpen, "aria-label": isOpen ? "Fold the pane" : "Unfold the pane" }, isOpen ? "▾" : "▴"),
    ),
    isOpen && h("div", { id: "run-panel", className: "run-panel", role: "tabpanel", "aria-labelledby": `tab-${wanted}`, tabIndex: 0 }, content(wanted, run, log)),
  );
}

function summary(run, log) {
  if (run.type === "subscription") return `${plural(log.total, "event")}${log.isOpen ? ", listening" : ", ended"}`;
  const fetches = run.trace?.fetches ?? [];
  const size = fetches.reduce((sum, each) => sum + each.bytesReceived, 0);
  const took = run.trace ? milliseconds(run.trace.milliseconds) : run.endedAt ? milliseconds(run.endedAt - run.startedAt) : "running";
  const asked = new Set(fetches.map((each) => each.subgraph)).size;
  return [took, run.trace && `${plural(fetches.length, "fetch", "fetches")} to ${plural(asked, "subgraph")}`, run.trace && bytes(size)].filter(Boolean).join(" · ");
}

function content(tab, run, log) {
  if (tab === "events") return h(Events, { log });
  if (!run) return h("p", { className: "empty" }, "Nothing has run yet.");
  if (tab === "refused") return h(Refused, { run });
  if (tab === "weighed") {
    return h(Fragment, null,
      h("p", { className: "hint" }, "The ways that the planner looked at: + taken, − would have cost more, x not possible."),
      h("pre", { className: "plain", tabIndex: 0 }, run.choices ?? "Not told: this operation takes too long to plan, or it has no plan."));
  }
  if (tab === "text") return h("pre", { className: "plain", tabIndex: 0 }, run.plans.map((plan) => plan.text).join("\n\n") || "No plan was told.");
  if (!run.plans.length && !run.trace) {
    return h("p", { className: "empty" }, run.errors.length ? "It was refused before anything was planned." : "The router told no plan; it does in development only.");
  }
  return h(Waterfall, { plans: run.plans, trace: run.trace, printed: pretty });
}

function pretty(text) {
  try {
    return print(parse(text));
  } catch {
    return text;
  }
}

function Events({ log }) {
  if (!log.total) return h("p", { className: "empty" }, log.isOpen ? "Waiting for the first event…" : "Events of a subscription are listed here, the newest first.");
  return h(
    "ol",
    { className: "events", "aria-live": "polite" },
    log.events.map((event) =>
      h("li", { key: event.number },
        h("details", { open: event.number === log.total },
          h("summary", null, h("span", { className: "event-number" }, `#${event.number}`), h("time", null, clock(event.at)), h("code", null, shortened(event.result))),
          h("pre", { tabIndex: 0 }, JSON.stringify(event.result, null, 2)))),
    ),
  );
}

function shortened(result) {
  const text = JSON.stringify(result.data ?? result.errors ?? result);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function Refused({ run }) {
  const withheld = run.trace?.withheld ?? [];
  if (!run.errors.length && !withheld.length) return h("p", { className: "empty" }, "Nothing was refused.");
  return h(
    "ul",
    { className: "refused" },
    run.errors.map((error, index) =>
      h("li", { key: index },
        h("span", { className: "badge bad" }, error.extensions?.code ?? "ERROR"),
        error.extensions?.reason && h("span", { className: "badge" }, error.extensions.reason),
        error.extensions?.service && h("span", { className: "badge" }, error.extensions.service),
        h("span", null, error.message),
        error.path && h("code", null, error.path.join(".")),
        error.locations?.[0] && h("span", { className: "hint" }, `line ${error.locations[0].line}, column ${error.locations[0].column}`)),
    ),
    withheld.map((each, index) =>
      h("li", { key: `withheld${index}` },
        h("span", { className: "badge bad" }, "WITHHELD"), h("code", null, each.coordinate),
        h("span", null, `at ${each.path}: not asked for, as ${each.reason}`)),
    ),
  );
}
