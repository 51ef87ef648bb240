// The page of a comparison, from its data.

import { part } from "../data.js";
import { h, mark, prose } from "../dom.js";
import { begin, frame } from "../frame.js";
import { counted } from "../numbers.js";
import { verdict } from "../overview.js";
import { sheet } from "../tables/sheet.js";
import { themes } from "../themes.js";
import { makers, OUTCOMES } from "./ratios.js";

const TITLES = { ratios: "Ratios", runs: "Runs", trials: "Trials" };

async function show(place) {
  const page = await part("overview");
  const sections = [await ratios(page), runs(page), await trials(page)];
  place.replaceChildren(frame(head(page), sections.filter(Boolean), TITLES));
}

function head(page) {
  return h(
    "header",
    { class: "head" },
    h("div", { class: "run" }, h("span", {}, "testbed compare"), themes()),
    h("h1", {}, page.title),
    page.experiment && h("p", { class: "question" }, page.experiment),
    h("p", { class: "answer" }, page.outcome),
    h(
      "ul",
      { class: "tally small" },
      Object.entries(OUTCOMES).map(
        ([name, signs]) => page.counts[name] > 0 && h("li", {}, mark(...signs, `${page.counts[name]} ${name}`)),
      ),
      page.conditions.map((each) => h("li", {}, judged(each, `${each.text} ${each.fails ? "fails" : "passes"}`))),
      ["suspect", "failed"].map((name) => {
        const count = page.runs.reduce((sum, run) => sum + run[name], 0);
        return count > 0 && h("li", {}, verdict(name, `${counted(count, "trial")} ${name}`));
      }),
    ),
  );
}

function judged({ fails }, text) {
  return fails ? mark("bad", "✗", text) : mark("good", "✓", text);
}

async function ratios(page) {
  const { about, axis } = page.ratios;
  const cells = await part(about.part);
  const columns = Object.fromEntries(about.columns.map((column, place) => [column.name, cells.columns[place]]));
  return h(
    "section",
    { id: "ratios" },
    h("h2", {}, "Every comparison"),
    page.conditions.length > 0 && h("ul", { class: "outcomes" }, page.conditions.map(condition)),
    h("div", { class: "part ratios" }, sheet(about, cells, makers(columns, axis))),
    h("p", { class: "aside" }, page.method),
    notes(page.notes),
  );
}

function condition(each) {
  return h(
    "li",
    {},
    judged(each, each.fails ? "fails" : "passes"),
    h("code", {}, each.text),
    h("span", { class: "found" }, each.found),
  );
}

function notes(lines) {
  const items = lines.map((each) => h("li", {}, prose(each)));
  return items.length > 0 && h("ul", { class: "notes small" }, items);
}

function runs(page) {
  return h(
    "section",
    { id: "runs" },
    h("h2", {}, "What was compared"),
    table(
      "runs",
      ["letter", "run", "trials planned", "valid", "suspect", "failed", "missing"],
      page.runs.map((run) => [run.letter, run.name, run.planned, run.valid, run.suspect, run.failed, run.missing]),
    ),
    page.differences.map(({ letter, rows }) =>
      h(
        "div",
        { class: "part" },
        h("h3", {}, `What else is different in ${letter}`),
        rows.length > 0
          ? table(`what is different in ${letter}`, ["what", page.runs[0].letter, letter], rows)
          : h("p", { class: "soft" }, "Nothing, as far as plans and provenance say."),
      ),
    ),
  );
}

function table(name, headings, rows) {
  const kind = (cell) => ({ class: typeof cell === "number" ? "number" : false });
  const heading = (text, place) => h("th", { scope: "col", ...kind(rows[0]?.[place]) }, text);
  const line = ([first, ...others]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, first),
      others.map((cell) => h("td", kind(cell), String(cell))),
    );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": name },
    h(
      "table",
      { class: "wide-cells" },
      h("thead", {}, h("tr", {}, headings.map(heading))),
      h("tbody", {}, rows.map(line)),
    ),
  );
}

async function trials(page) {
  const { trials: about } = page;
  return h(
    "section",
    { id: "trials" },
    h("h2", {}, "Trials that are not valid"),
    about.rows === 0
      ? h("p", { class: "soft" }, "Every planned trial of these runs is there and valid.")
      : [
          h("p", {}, prose(page.use)),
          h("div", { class: "part" }, sheet(about, await part(about.part))),
          h("p", { class: "on-paper" }, "They are in the trials.csv of each run."),
        ],
  );
}

begin(show, "`testbed compare` prints the same in a terminal.");
