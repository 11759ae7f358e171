// Numbers as people read them, and a colour for each subgraph.

export function milliseconds(value) {
  if (value === null || value === undefined) return "…";
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

export function bytes(value) {
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${(value / 1000).toFixed(1)} kB`;
  return `${(value / 1_000_000).toFixed(1)} MB`;
}

export function count(value) {
  return new Intl.NumberFormat("en").format(value);
}

export function plural(number, word, many = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : many}`;
}

export function clock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString("en-GB");
}

const HUES = 8;
const known = new Map();

/** A class name of theme.css; the same subgraph has the same colour in every part of a page. */
export function colourOf(subgraph) {
  if (!known.has(subgraph)) known.set(subgraph, known.size % HUES);
  return `hue-${known.get(subgraph)}`;
}

/** Gives colours in this order, so that they do not depend on which subgraph is met first. */
export function colourInOrder(subgraphs) {
  for (const name of [...subgraphs].sort()) colourOf(name);
}
