// The head of the page: what was asked, the answer, and how far one may trust it.

import { h, mark, prose } from "./dom.js";
import { kept } from "./keeping.js";
import { counted } from "./numbers.js";
import { points } from "./points.js";

const STATES = {
  held: ["good", "✓", "held"],
  failed: ["bad", "✗", "did not hold"],
  open: ["none", "–", "not evaluated"],
};

const VERDICTS = { valid: ["good", "✓"], suspect: ["doubt", "?"], failed: ["bad", "✗"] };

/** Make the head: title, question, answer, and the tally of trials and expectations. */
export function head(page, before) {
  return kept(
    before,
    h(
      "div",
      {},
      h("h1", {}, page.title),
      page.question && h("p", { class: "question" }, page.question),
      h("p", { class: "answer" }, page.answer),
      tally(page),
    ),
  );
}

/** Make the mark of a verdict. */
export function verdict(name, text = name) {
  return mark(...(VERDICTS[name] ?? ["none", "–"]), text);
}

function tally(page) {
  const { planned, valid, suspect, failed, missing, again } = page.trials;
  const trials = `${valid} of ${counted(planned, "trial")} valid`;
  return h(
    "ul",
    { class: "tally small" },
    h("li", {}, valid > 0 ? verdict("valid", trials) : mark("none", "–", trials)),
    suspect > 0 && h("li", {}, verdict("suspect", `${suspect} suspect`)),
    failed > 0 && h("li", {}, verdict("failed", `${failed} failed`)),
    missing > 0 && h("li", {}, mark("none", "–", `${missing} missing`)),
    again > 0 && h("li", {}, mark("none", "↻", `${again} measured again`)),
    page.expectations.length > 0 && h("li", {}, mark(...expected(page.expectations))),
  );
}

/** Return the mark of all expectations: bad only if one did not hold, and good only if all held. */
export function expected(expectations) {
  const count = (state) => expectations.filter((each) => each.state === state).length;
  const all = expectations.length;
  const [held, failed, open] = [count("held"), count("failed"), count("open")];
  const [kind, sign] = STATES[failed > 0 ? "failed" : open > 0 ? "open" : "held"];
  if (open === all) {
    return [kind, sign, `${counted(all, "expectation")} not evaluated`];
  }
  const rest = open > 0 ? `, ${open} not evaluated` : "";
  return [kind, sign, `${held} of ${counted(all, "expectation")} held${rest}`];
}

/** Make the section with the numbers of all points, what was expected, and what is wrong. */
export function answer(page) {
  return h(
    "section",
    { id: "answer" },
    h("h2", {}, "The answer in numbers"),
    page.comparisons &&
      h(
        "div",
        { class: "part" },
        h("h3", {}, capital(page.comparisons.measures[0].label)),
        points(page.comparisons, page.comparisons.measures[0].label),
      ),
    page.left_out && h("p", { class: "aside" }, `${capital(page.left_out)}.`),
    page.means &&
      h(
        "div",
        { class: "part" },
        h("h3", {}, "Means of the trials that count"),
        points(page.means, "means of the points"),
      ),
    !page.means && !page.comparisons && h("p", { class: "soft" }, "No trial that counts has a number yet."),
    page.expectations.length > 0 &&
      h("div", { class: "part" }, h("h3", {}, "What was expected before the measurement"), outcomes(page.expectations)),
    page.problems.length > 0 &&
      h(
        "div",
        { class: "part" },
        h("h3", {}, "What to know before using these numbers"),
        h(
          "ul",
          { class: "notes small" },
          page.problems.map((each) => h("li", {}, prose(capital(each)))),
        ),
      ),
  );
}

function outcomes(expectations) {
  return h(
    "ul",
    { class: "outcomes" },
    expectations.map(({ text, state, found }) =>
      h("li", {}, mark(...STATES[state]), h("code", {}, text), h("span", { class: "found" }, found)),
    ),
  );
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
