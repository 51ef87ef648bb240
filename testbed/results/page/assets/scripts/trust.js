// How far the emulation can be trusted, and where the numbers come from.

import { h } from "./dom.js";
import { verdict } from "./overview.js";

/** Make the section of verdicts and links. */
export function trust(page) {
  const { planned, valid, missing } = page.trials;
  const done = planned - missing;
  return h(
    "section",
    { id: "trust" },
    h("h2", {}, "How far to trust it"),
    h(
      "p",
      {},
      valid === done && done > 0
        ? "Every trial that was run is valid: the machine emulated the network as it was asked to, and no program failed."
        : "A suspect trial was disturbed by the machine, and a failed one by a program. The verdict looks at the machine and the programs, never at results.",
    ),
    page.doubts.length > 0 && h("div", { class: "part" }, h("h3", {}, "Trials that are not valid"), doubts(page)),
    h(
      "div",
      { class: "part" },
      h("h3", {}, "Links, as asked and as measured"),
      h("p", {}, page.links),
      h("p", { class: "small soft" }, "Each link is in the table links."),
    ),
  );
}

function doubts(page) {
  const rows = page.doubts.map((doubt) =>
    h(
      "tr",
      {},
      h("td", { class: "state" }, verdict(doubt.verdict)),
      h("th", { scope: "row" }, [doubt.point, `repetition ${doubt.repetition}`].filter(Boolean).join(", ")),
      h("td", {}, doubt.reasons),
    ),
  );
  const head = h(
    "tr",
    {},
    ["verdict", "trial", "reasons"].map((name) => h("th", { scope: "col" }, name)),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": "trials that are not valid" },
    h("table", {}, h("thead", {}, head), h("tbody", {}, rows)),
  );
}

/** Make the section of provenance. */
export function provenance(page) {
  const { sessions, report } = page.provenance;
  return h(
    "section",
    { id: "provenance" },
    h("h2", {}, "Where it comes from"),
    sessions.length === 0 &&
      h("p", { class: "soft" }, "What measured it is not known: provenance.json is missing or damaged."),
    sessions.map((session, place) =>
      h(
        "div",
        { class: "part" },
        h("h3", {}, sessions.length > 1 ? `Session ${place + 1}` : "Measured by"),
        facts(session),
      ),
    ),
    h("div", { class: "part" }, h("h3", {}, "Tables, figures and this page made by"), facts(report)),
  );
}

function facts(entry) {
  const known = Object.entries(entry).filter(([, value]) => value !== null && value !== "");
  return h(
    "dl",
    { class: "facts" },
    known.flatMap(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, shown(value))]),
  );
}

function shown(value) {
  if (Array.isArray(value)) {
    return h("code", {}, value.map(String).join(" "));
  }
  if (typeof value !== "object") {
    return String(value);
  }
  const entries = Object.entries(value).map(
    ([name, each]) => `${name} ${typeof each === "object" ? JSON.stringify(each) : each}`,
  );
  return entries.join(", ");
}
