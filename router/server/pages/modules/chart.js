// Lines over the last minutes, by uPlot; drawn anew when the colours of the page change.
import { createElement as h, useEffect, useRef } from "./react.js";
import { uPlot } from "./uplot.js";

const HEIGHT = 190;

export function Chart({ times, series }) {
  const place = useRef(null);
  const plot = useRef(null);
  const labels = series.map((each) => each.label).join("\n");
  const data = [times, ...series.map((each) => each.values)];

  useEffect(() => {
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(place.current, series), data, place.current);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    resized.observe(place.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const themed = new MutationObserver(draw);
    themed.observe(document.body, { attributeFilter: ["class"] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [labels]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [times.at(-1), labels]);

  return h("div", null,
    h("div", { ref: place, className: "chart", role: "img", "aria-label": described(series) }),
    h("ul", { className: "chart-legend" }, series.map((each, index) => h("li", { key: each.label, className: `hue-${index % 8}` }, h("span", { className: "dot", "aria-hidden": true }), each.label))));
}

function described(series) {
  return `Lines of ${series.map((each) => `${each.label}, now ${each.values.at(-1)}`).join("; ")}`;
}

function options(place, series) {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1)] } },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map((each) => new Date(each * 1000).toTimeString().slice(0, 5)), space: 70 },
      { ...axis, size: 38 },
    ],
    series: [{}, ...series.map((each, index) => ({ label: each.label, stroke: colour(`--hue-${index % 8}`), width: 2, points: { show: false }, fill: series.length === 1 ? `${colour(`--hue-${index % 8}`)}22` : undefined }))],
  };
}
