// The tables of the run, one at a time.

import { part } from "../data.js";
import { h, set } from "../dom.js";
import { counted } from "../numbers.js";
import { sheet } from "./sheet.js";

const FIRST = "trials";

/** Make the section of tables: tabs, of which one is open. */
export function tables(page) {
  const panel = h("div", { role: "tabpanel", id: "table" });
  const tabs = page.tables.map((about) =>
    h(
      "button",
      { type: "button", role: "tab", id: `tab-${about.name}`, "aria-controls": "table", click: () => open(about) },
      about.name,
    ),
  );
  const list = h(
    "div",
    { class: "tabs", role: "tablist", "aria-label": "tables", keydown: (event) => move(event, tabs) },
    tabs,
  );

  async function open(about) {
    const chosen = tabs[page.tables.indexOf(about)];
    tabs.forEach((tab) => set(tab, { "aria-selected": String(tab === chosen), tabindex: tab === chosen ? "0" : "-1" }));
    set(panel, { "aria-labelledby": chosen.id });
    const content = await contentOf(about);
    if (chosen.getAttribute("aria-selected") === "true") {
      panel.replaceChildren(content);
    }
  }

  open(page.tables.find((about) => about.name === FIRST) ?? page.tables[0]);
  const files = page.tables.map((about) => about.file).filter(Boolean);
  const paper = h("p", { class: "on-paper" }, `Beside this page: ${files.join(", ")}.`);
  return h("section", { id: "tables" }, h("h2", {}, "Tables"), list, panel, paper);
}

async function contentOf(about) {
  if (about.part === null) {
    const where = about.file ? `: see ${about.file} beside this page` : "";
    return h("p", { class: "soft" }, `Its ${counted(about.rows, "row")} would make this page too large${where}.`);
  }
  if (about.rows === 0) {
    return h("p", { class: "soft" }, "It has no rows.");
  }
  return sheet(about, await part(about.part));
}

function move(event, tabs) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step !== undefined) {
    const place = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    tabs[place].focus();
    tabs[place].click();
    event.preventDefault();
  }
}
