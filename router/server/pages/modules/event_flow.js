// The way of an event in columns: where it is written down, who handles it, who is told. Rates from two states.
import { createElement as h, Fragment } from "./react.js";
import { count } from "./format.js";

export function EventFlow({ title, stages, before, live, liveBefore, seconds }) {
  const earlier = new Map((before ?? []).flat().map((each) => [each.name, each.total]));
  const columns = stages.map((stations) => stations.map((each) => ({ ...each, rate: rate(each.total, earlier.get(each.name), seconds) })));
  columns.push([
    {
      name: "subscribers", total: live.delivered, waiting: null, lagSeconds: null,
      rate: rate(live.delivered, liveBefore?.delivered, seconds), note: `${count(live.subscribers)} listening`,
    },
  ]);
  return h(
    "section",
    { className: "tile-section is-wide", "aria-label": title },
    h("h2", null, title),
    h("div", { className: "flow" },
      columns.map((stations, index) =>
        h(Fragment, { key: index },
          index > 0 && h("span", { className: `flow-arrow ${stations.some((each) => each.rate > 0) ? "is-moving" : ""}`, "aria-hidden": true }),
          h("div", { className: "flow-stage" }, stations.map((each) => h(Station, { key: each.name, ...each })))))),
  );
}

function rate(now, before, seconds) {
  return before === undefined || before === null || !seconds ? null : Math.max(0, (now - before) / seconds);
}

function Station({ name, total, waiting, lagSeconds, note, rate }) {
  const isBehind = (waiting ?? 0) > 0;
  return h(
    "div",
    { className: `station ${isBehind ? "is-behind" : ""} ${rate > 0 ? "is-moving" : ""}` },
    h("strong", null, name),
    h("span", { className: "station-rate" }, rate === null ? "…" : `${rate.toFixed(1)} a second`),
    h("span", null, `${count(total ?? 0)} in all`),
    waiting !== null && h("span", { className: isBehind ? "badge bad" : "badge" }, `${count(waiting)} waiting${lagSeconds ? `, the oldest for ${lagSeconds.toFixed(1)} s` : ""}`),
    note && h("span", null, note),
  );
}
