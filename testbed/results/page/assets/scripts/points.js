// The numbers of all points of the sweep, each with its interval, drawn and written.

import { h, s } from "./dom.js";
import { plain, unitFor } from "./numbers.js";

const FIRST_ROWS = 16;
const WIDTH = 200;
const SHORT = 18;
/** The captions of tables of which all rows are shown: they stay so when the table is made again. */
const expanded = new Set();

/** Make the table of a comparison or of means; the first measure is drawn, too. */
export function points(found, caption) {
  const measures = found.measures.map((measure, place) => scaled(measure, found.rows, place));
  const axis = axisOf(measures[0], found.rows);
  const first = expanded.has(caption) ? found.rows.length : FIRST_ROWS;
  const body = h(
    "tbody",
    {},
    found.rows.slice(0, first).map((row) => line(found, measures, axis, row)),
  );
  const table = h(
    "table",
    { class: "points" },
    h("caption", { class: "hidden" }, caption),
    head(found, measures, axis),
    body,
  );
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, table);
  const rest = found.rows.slice(first);
  const fixed = found.fixed && h("p", { class: "aside" }, found.fixed);
  if (rest.length === 0) {
    return h("div", {}, scroll, fixed);
  }
  const more = h("button", { type: "button", class: "more" }, `Show ${rest.length} more`);
  more.addEventListener("click", () => {
    expanded.add(caption);
    body.append(...rest.map((row) => line(found, measures, axis, row)));
    more.remove();
  });
  return h("div", {}, scroll, more, fixed);
}

function scaled(measure, rows, place) {
  const largest = Math.max(...rows.map((row) => Math.abs(row.values[place][0] ?? 0)));
  const unit = unitFor(measure.unit, largest);
  return { ...measure, unitName: unit.name, worth: unit.worth };
}

function head(found, measures, axis) {
  const hasTests = found.rows.some((row) => row.p !== null);
  const [first, ...others] = measures;
  const low = plain(axis.low / first.worth, 3);
  const high = plain(axis.high / first.worth, 3);
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      found.keys.map((key) => h("th", { scope: "col" }, key.label)),
      found.groups && h("th", { scope: "col" }, "group"),
      h("th", { scope: "col", class: "number" }, titled(first), h("br"), "95 % interval"),
      h(
        "th",
        { scope: "col", class: "plot" },
        h("span", { class: "hidden" }, "drawn, "),
        h("span", { class: "scale" }, h("span", {}, low), h("span", {}, high)),
      ),
      hasTests && h("th", { scope: "col", class: "number" }, "p"),
      h("th", { scope: "col", class: "number" }, "n"),
      others.map((measure) => h("th", { scope: "col", class: "number" }, titled(measure))),
    ),
  );
}

function titled(measure) {
  return measure.unitName ? `${measure.label} (${measure.unitName})` : measure.label;
}

function line(found, measures, axis, row) {
  const hasTests = found.rows.some((each) => each.p !== null);
  const [first, ...others] = measures;
  const names = found.groups ? [...row.point, row.group] : row.point;
  return h(
    "tr",
    {},
    names.map((name, place) =>
      place === 0 ? h("th", { scope: "row", class: length(name) }, name) : h("td", { class: length(name) }, name),
    ),
    h(
      "td",
      { class: "number" },
      h("strong", {}, plain(scale(row.values[0][0], first))),
      interval(row.values[0], first),
    ),
    h("td", { class: "plot" }, drawn(row.values[0], axis)),
    hasTests && h("td", { class: "number" }, row.p === null ? "–" : plain(row.p, 2)),
    h("td", { class: "number" }, String(row.n)),
    others.map((measure, place) => h("td", { class: "number" }, plain(scale(row.values[place + 1][0], measure)))),
  );
}

/** Short names stay in one line. */
function length(name) {
  return name.length <= SHORT ? "short" : false;
}

function scale(value, measure) {
  return value === null ? null : value / measure.worth;
}

function interval([, low, high], measure) {
  return low === null
    ? ""
    : h("span", { class: "interval" }, ` ${plain(low / measure.worth)} – ${plain(high / measure.worth)}`);
}

/** Return the axis of a measure: of gains it is logarithmic, so that half and twice as fast are equally far from 1. */
function axisOf(measure, rows) {
  const ends = rows.flatMap((row) => row.values[0]).filter((value) => value !== null);
  const known = measure.gain ? [...ends.filter((value) => value > 0), 0.9, 1.1] : ends.length ? ends : [0, 1];
  const toAxis = measure.gain ? Math.log : (value) => value;
  const fromAxis = measure.gain ? Math.exp : (value) => value;
  let [low, high] = [Math.min(...known), Math.max(...known)].map(toAxis);
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  [low, high] = [low - margin, high + margin];
  if (!measure.gain && low < 0 && Math.min(...known) >= 0) {
    low = 0;
  }
  return {
    low: fromAxis(low),
    high: fromAxis(high),
    at: (value) => (WIDTH * (toAxis(value) - low)) / (high - low),
    reference: measure.gain ? 1 : null,
  };
}

function drawn([mean, low, high], axis) {
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} 20`, preserveAspectRatio: "none", "aria-hidden": "true" });
  if (axis.reference !== null) {
    const x = axis.at(axis.reference);
    picture.append(
      s("line", { class: "reference", x1: x, x2: x, y1: -6, y2: 26, "vector-effect": "non-scaling-stroke" }),
    );
  }
  if (low !== null && (low > 0 || axis.reference === null)) {
    picture.append(
      s("line", {
        class: "bar",
        x1: axis.at(low),
        x2: axis.at(high),
        y1: 10,
        y2: 10,
        "vector-effect": "non-scaling-stroke",
      }),
    );
  }
  if (mean !== null && (mean > 0 || axis.reference === null)) {
    const x = axis.at(mean);
    picture.append(s("path", { class: "bar", d: `M${x} 3V17`, "vector-effect": "non-scaling-stroke" }));
  }
  return picture;
}
