// A plan as a tree with a time line beside it: one row a node, one bar a fetch, everything about a fetch on click.
import { createElement as h, Fragment, useState } from "./react.js";
import { bytes, colourOf, milliseconds, plural } from "./format.js";

/**
 * `plans` are trees of the router's plan extension and may be empty; `trace` is its trace, or null. `printed` makes an
 * operation's text readable.
 */
export function Waterfall({ plans, trace, printed = (text) => text }) {
  const [chosen, choose] = useState(null);
  const rows = rowsOf(plans, trace);
  const end = Math.max(trace?.milliseconds ?? 0, 0.001);
  const selected = rows.find((row) => row.key === chosen) ?? null;
  return h(
    "div",
    { className: `waterfall ${selected ? "has-detail" : ""}` },
    h(
      "div",
      { className: "waterfall-rows", role: "list", "aria-label": "Plan and times" },
      trace && h(Scale, { end }),
      (trace?.stages ?? []).map((stage, index) =>
        h(Row, {
          key: `stage${index}`,
          label: h("span", { className: "node-kind" }, stage.name),
          badges: stage.cached ? ["known"] : ["new"],
          bar: { ...stage, startMilliseconds: startOfStage(trace.stages, index), className: "bar-stage" },
          end,
        }),
      ),
      rows.map((row) => h(NodeRow, { key: row.key, row, end, hasTimes: Boolean(trace), chosen, choose })),
    ),
    selected && h(FetchDetail, { row: selected, printed, close: () => choose(null) }),
  );
}

function startOfStage(stages, index) {
  return stages.slice(0, index).reduce((sum, each) => sum + each.milliseconds, 0);
}

function Scale({ end }) {
  const marks = [0, 0.25, 0.5, 0.75];
  return h(
    "div",
    { className: "waterfall-scale", "aria-hidden": true },
    h("span", null, "total ", h("strong", null, milliseconds(end))),
    h("div", { className: "bar-track" }, marks.map((mark) => h("i", { key: mark, style: { left: `${mark * 100}%` } }, milliseconds(mark * end)))),
  );
}

function NodeRow({ row, end, hasTimes, chosen, choose }) {
  const { node, fetches, depth } = row;
  if (!row.isFetch) {
    return h(Row, { depth, label: h("span", { className: "node-kind" }, row.title), badges: [], end: null });
  }
  const entities = fetches.reduce((sum, each) => sum + (each.representationCount ?? 0), 0);
  const size = fetches.reduce((sum, each) => sum + each.bytesReceived, 0);
  const failed = fetches.find((each) => each.error || each.status >= 400);
  return h(Row, {
    depth,
    label: h(
      Fragment,
      null,
      h("span", { className: `dot ${colourOf(row.subgraph)}`, "aria-hidden": true }),
      h("strong", null, row.subgraph),
      h("span", { className: "node-reason" }, node?.reason ?? ""),
    ),
    badges: [
      row.kept > 0 && `${row.kept} from cache`,
      fetches.length > 1 && `${fetches.length} requests`,
      entities > 0 && plural(entities, "entity", "entities"),
      fetches.length > 0 && bytes(size),
      hasTimes && fetches.length === 0 && !row.kept && "not sent",
      failed && (failed.error ?? `status ${failed.status}`),
    ].filter(Boolean),
    failed: Boolean(failed),
    bars: fetches.map((each) => ({ ...each, className: colourOf(row.subgraph) })),
    end,
    isChosen: chosen === row.key,
    onClick: () => choose(chosen === row.key ? null : row.key),
  });
}

function Row({ depth = 0, label, badges, bar, bars = bar ? [bar] : [], end, failed = false, isChosen = false, onClick }) {
  const content = h(
    Fragment,
    null,
    h("span", { className: "row-label", style: { paddingInlineStart: `${depth * 14}px` } }, label),
    h(
      "span",
      { className: "row-badges" },
      badges.map((badge, index) => h("span", { key: badge, className: failed && index === badges.length - 1 ? "badge bad" : "badge" }, badge)),
    ),
    h("span", { className: "bar-track" }, end === null ? null : bars.map((each, index) => h(Bar, { key: index, end, ...each }))),
  );
  const className = `waterfall-row ${isChosen ? "is-chosen" : ""}`;
  return h(
    "div",
    { role: "listitem" },
    onClick ? h("button", { type: "button", className, onClick, "aria-expanded": isChosen }, content) : h("div", { className }, content),
  );
}

function Bar({ startMilliseconds, milliseconds: length, end, className }) {
  const left = Math.min((startMilliseconds / end) * 100, 99.5);
  const width = Math.max(Math.min(((length ?? end - startMilliseconds) / end) * 100, 100 - left), 0.5);
  const side = left + width < 80 ? "right" : left > 15 ? "left" : "inside";
  return h(
    "span",
    { className: `bar ${className}`, style: { left: `${left}%`, width: `${width}%` } },
    h("em", { className: `bar-time is-${side}` }, milliseconds(length)),
  );
}

function FetchDetail({ row, printed, close }) {
  const first = row.fetches[0];
  const operation = first?.operation ?? row.node?.operation;
  return h(
    "section",
    { className: "fetch-detail", "aria-label": `Request to ${row.subgraph}` },
    h(
      "header",
      null,
      h("span", { className: `dot ${colourOf(row.subgraph)}`, "aria-hidden": true }),
      h("strong", null, row.subgraph),
      h("span", { className: "node-reason" }, row.node?.reason ?? ""),
      h("button", { type: "button", className: "quiet", onClick: close, "aria-label": "Close" }, "×"),
    ),
    row.fetches.map((fetch, index) =>
      h(
        "p",
        { key: index, className: "fetch-facts" },
        [
          `after ${milliseconds(fetch.startMilliseconds)}`,
          `took ${milliseconds(fetch.milliseconds)}`,
          fetch.status && `status ${fetch.status}`,
          `sent ${bytes(fetch.bytesSent)}`,
          `got ${bytes(fetch.bytesReceived)}`,
          fetch.error,
        ].filter(Boolean).map((fact) => h("span", { key: fact }, fact)),
      ),
    ),
    row.node?.entities?.map((each, index) =>
      h("p", { key: index, className: "fetch-facts" },
        h("span", null, "entities at ", h("code", null, each.paths.join(", ") || "the root")),
        h("span", null, "by ", h("code", null, Object.entries(each.requires).map(([type, key]) => `${type} { ${key} }`).join(", ")))),
    ),
    operation && h(Fragment, null, h("h4", null, "Operation sent"), h("pre", { tabIndex: 0 }, printed(operation))),
    first?.variables && Object.keys(first.variables).length > 0 && h(
      Fragment, null, h("h4", null, "Variables"), h("pre", { tabIndex: 0 }, JSON.stringify(first.variables, null, 2)),
    ),
  );
}

/** The rows in the tree's order, and what no node of it asked for below. */
function rowsOf(plans, trace) {
  const fetches = trace?.fetches ?? [];
  const rows = [];
  const placed = new Set();
  plans.forEach((plan, part) => {
    if (plans.length > 1) rows.push({ key: `part${part}`, depth: 0, title: part === 0 ? "first part" : `deferred part ${part}` });
    walk(plan.node, plans.length > 1 ? 1 : 0, `${part}`);
  });
  fetches.forEach((fetch, index) => {
    if (!placed.has(index)) {
      rows.push({ key: `other${index}`, depth: 0, isFetch: true, subgraph: fetch.subgraph, node: null, fetches: [fetch] });
    }
  });
  for (const { subgraph, count } of trace?.kept ?? []) {
    const row = rows.find((each) => each.subgraph === subgraph);
    if (row) row.kept = (row.kept ?? 0) + count;
    else rows.push({ key: `kept ${subgraph}`, depth: 0, isFetch: true, subgraph, node: null, fetches: [], kept: count });
  }
  return rows;

  function walk(node, depth, key) {
    if (!node) return;
    if (node.serviceName) {
      const own = fetches.filter((each, index) => {
        const isOwn = !placed.has(index) && each.subgraph === node.serviceName && (each.operation === node.operation || each.node === node.number);
        if (isOwn) placed.add(index);
        return isOwn;
      });
      rows.push({ key, depth, isFetch: true, subgraph: node.serviceName, node, fetches: own });
      return;
    }
    const title = { Sequence: "one after another", Parallel: "at once", Condition: `if ${node.conditions?.join(" and ")}`, Subscription: "for every event" }[node.kind];
    if (title) rows.push({ key, depth, title });
    const inner = [node.node, node.primary, node.rest, ...(node.nodes ?? [])].filter(Boolean);
    inner.forEach((each, index) => walk(each, title ? depth + 1 : depth, `${key}.${index}`));
  }
}
