// Which subgraphs there are, which entities, who owns and who extends them: drawn from the graph that is served.
import { createElement as h, Fragment, useState } from "./react.js";
import { colourOf, plural } from "./format.js";

const WIDTH = 960;
const ROW = 34;
const BOX = { width: 200, height: 80 };
const ENTITY = { width: 210, height: 26 };

export function SupergraphPicture({ graph }) {
  const [chosen, choose] = useState(null);
  const [hovered, hover] = useState(null);
  const shown = hovered ?? chosen;
  const { height, boxes, entities, edges } = layout(graph);
  const concerns = (edge) => !shown || shown === `entity ${edge.entity}` || shown === `subgraph ${edge.subgraph}`;
  return h(
    "section",
    { className: "tile-section is-wide", "aria-label": "The supergraph" },
    h("h2", null, "The supergraph", h("small", null, "thick: has most of the entity; thin: adds fields to it; dashed: refers to it by key. Choose one for its fields")),
    h("div", { className: "picture" },
      h("div", { className: "picture-scroll", tabIndex: 0, role: "group", "aria-label": "Picture of subgraphs and entities" },
        h("svg", { viewBox: `0 0 ${WIDTH} ${height}`, style: { minInlineSize: "640px", inlineSize: "100%" } },
          edges.map((edge) => h("path", { key: `${edge.subgraph} ${edge.entity}`, className: `edge ${colourOf(edge.subgraph)} is-${edge.kind} ${concerns(edge) ? "" : "is-dim"}`, d: edge.path })),
          boxes.map((box) => h(Box, { key: box.name, box, isDim: shown && shown !== `subgraph ${box.name}` && !edges.some((edge) => edge.subgraph === box.name && concerns(edge)), choose, hover, chosen })),
          entities.map((entity) => h(Entity, { key: entity.name, entity, isDim: shown && !edges.some((edge) => edge.entity === entity.name && concerns(edge)), choose, hover, chosen })))),
      h("div", { className: "picture-detail", "aria-live": "polite", tabIndex: 0, role: "group", "aria-label": "What was chosen" }, h(Detail, { graph, chosen }))),
    graph.entitiesLeftOut > 0 && h("p", { className: "hint" }, `${graph.entitiesLeftOut} more entities are not drawn.`),
  );
}

function layout(graph) {
  const left = graph.subgraphs.filter((_, index) => index % 2 === 0);
  const right = graph.subgraphs.filter((_, index) => index % 2 === 1);
  const height = Math.max(graph.entities.length * ROW + 16, Math.max(left.length, right.length) * (BOX.height + 24) + 16, 120);
  const place = (list, x) => list.map((each, index) => ({ ...each, x, y: ((index + 0.5) * height) / list.length - BOX.height / 2 }));
  const boxes = [...place(left, 4), ...place(right, WIDTH - BOX.width - 4)];
  const top = (height - graph.entities.length * ROW) / 2;
  const entities = ordered(graph).map((each, index) => ({ ...each, x: (WIDTH - ENTITY.width) / 2, y: top + index * ROW + (ROW - ENTITY.height) / 2 }));
  const edges = entities.flatMap((entity) =>
    entity.parts.map((part, index) => {
      const box = boxes.find((each) => each.name === part.subgraph);
      const isLeft = box.x < WIDTH / 2;
      const from = { x: isLeft ? box.x + BOX.width : box.x, y: box.y + BOX.height / 2 };
      const to = { x: isLeft ? entity.x : entity.x + ENTITY.width, y: entity.y + ENTITY.height / 2 };
      const middle = (from.x + to.x) / 2;
      return { subgraph: part.subgraph, entity: entity.name, kind: part.isReference ? "reference" : index === 0 ? "owner" : "extension", path: `M${from.x} ${from.y} C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}` };
    }),
  );
  return { height, boxes, entities, edges };
}

/** Entities of one owner stand together, so that lines cross less. */
function ordered(graph) {
  const rank = new Map([...graph.subgraphs.filter((_, i) => i % 4 < 2), ...graph.subgraphs.filter((_, i) => i % 4 >= 2)].map((each, index) => [each.name, index]));
  return [...graph.entities].sort((one, other) => rank.get(one.parts[0].subgraph) - rank.get(other.parts[0].subgraph) || one.name.localeCompare(other.name));
}

function pressable(name, label, { choose, hover, chosen }) {
  const act = () => choose(chosen === name ? null : name);
  return {
    role: "button", tabIndex: 0, "aria-label": label, "aria-pressed": chosen === name,
    onClick: act, onMouseEnter: () => hover(name), onMouseLeave: () => hover(null),
    onKeyDown: (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        act();
      }
    },
  };
}

function Box({ box, isDim, ...handlers }) {
  const roots = Object.entries(box.roots).filter(([, fields]) => fields.length);
  const notes = [plural(box.types, "type"), ...roots.map(([kind, fields]) => plural(fields.length, kind, kind === "query" ? "queries" : `${kind}s`))];
  const lines = [notes.slice(0, 2).join(", "), notes.slice(2).join(", ")];
  return h(
    "g",
    { className: `box ${colourOf(box.name)} ${isDim ? "is-dim" : ""}`, ...pressable(`subgraph ${box.name}`, undefined, handlers) },
    h("rect", { x: box.x, y: box.y, width: BOX.width, height: BOX.height, rx: 10 }),
    h("text", { x: box.x + 14, y: box.y + 25, className: "box-name" }, box.name),
    lines.map((line, index) => h("text", { key: index, x: box.x + 14, y: box.y + 45 + index * 18, className: "box-note" }, line)),
  );
}

function Entity({ entity, isDim, ...handlers }) {
  return h(
    "g",
    { className: `entity ${isDim ? "is-dim" : ""}`, ...pressable(`entity ${entity.name}`, `Entity ${entity.name}`, handlers) },
    h("rect", { x: entity.x, y: entity.y, width: ENTITY.width, height: ENTITY.height, rx: 6 }),
    h("text", { x: entity.x + 12, y: entity.y + 17 }, entity.name),
    entity.parts.map((part, index) => h("circle", { key: part.subgraph, className: `${colourOf(part.subgraph)} ${part.isReference ? "is-hollow" : ""}`, cx: entity.x + ENTITY.width - 14 - (entity.parts.length - 1 - index) * 14, cy: entity.y + ENTITY.height / 2, r: 4.5 })),
  );
}

function Detail({ graph, chosen }) {
  if (!chosen) return h("p", { className: "empty" }, `${plural(graph.subgraphs.length, "subgraph")}, ${plural(graph.entities.length + graph.entitiesLeftOut, "entity", "entities")}.`);
  const [kind, name] = [chosen.slice(0, chosen.indexOf(" ")), chosen.slice(chosen.indexOf(" ") + 1)];
  if (kind === "subgraph") {
    const subgraph = graph.subgraphs.find((each) => each.name === name);
    return h(Fragment, null, h("h3", null, name),
      Object.entries(subgraph?.roots ?? {}).filter(([, fields]) => fields.length).map(([root, fields]) => h(Fragment, { key: root }, h("h4", null, root), h("p", null, h("code", null, fields.join(" "))))));
  }
  const entity = graph.entities.find((each) => each.name === name);
  return h(Fragment, null, h("h3", null, name), entity?.description && h("p", null, entity.description.split("\n\n")[0]),
    entity?.parts.map((part) =>
      h("div", { key: part.subgraph, className: "part" },
        h("h4", null, h("span", { className: `dot ${colourOf(part.subgraph)}`, "aria-hidden": true }), ` ${part.subgraph}`, part.isReference && h("small", null, " refers to it")),
        part.keys.length > 0 && h("p", null, "key ", h("code", null, part.keys.join(" | "))),
        part.fields.length > 0 && h("p", null, h("code", null, part.fields.join(" "))),
        Object.entries(part.requires).map(([field, needs]) => h("p", { key: field }, h("code", null, field), " requires ", h("code", null, needs))))));
}
