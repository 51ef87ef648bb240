// Ratios with their intervals, drawn to one scale, and what is said of them.

import { h, mark, s } from "../dom.js";

const WIDTH = 200;
const HEIGHT = 20;

export const OUTCOMES = {
  different: ["doubt", "≠"],
  equivalent: ["good", "="],
  undecided: ["none", "?"],
};

/** Return functions that make the cells of drawn ratios and of outcomes, from the columns of the table by their names. */
export function makers(columns, axis) {
  return {
    drawn: (row) => {
      const values = ["ratio", "low", "high"].map((name) => columns[name][row]);
      return h("td", { class: "plot" }, values[0] === null ? null : drawn(values, axis));
    },
    outcome: (row) => {
      const name = columns.outcome[row];
      return h("td", { class: "word" }, mark(...OUTCOMES[name], name));
    },
  };
}

/** Return where a ratio is drawn. The axis is logarithmic, and what does not fit is drawn at its edge. */
export function at(ratio, reach) {
  const share = Math.log(ratio) / Math.log(reach);
  return (WIDTH / 2) * (1 + Math.max(-1, Math.min(1, share)));
}

function drawn([ratio, low, high], { reach, margin }) {
  const [near, one, far] = [1 / (1 + margin), 1, 1 + margin].map((value) => at(value, reach));
  const [left, middle, right] = [low ?? ratio, ratio, high ?? ratio].map((value) => at(value, reach));
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "margin", x: near, width: far - near, y: -6, height: HEIGHT + 12 }),
    line("reference", one, one, -6, HEIGHT + 6),
    line("bar", left, right, HEIGHT / 2, HEIGHT / 2),
    line("bar", middle, middle, 3, HEIGHT - 3),
  );
}

function line(name, x1, x2, y1, y2) {
  return s("line", { class: name, x1, x2, y1, y2, "vector-effect": "non-scaling-stroke" });
}
