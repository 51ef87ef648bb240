// The tables of the run, one at a time.

import { part } from "../data.js";
import { h, set } from "../dom.js";
import { counted } from "../numbers.js";
import { Sheet } from "./sheet.js";

const FIRST = "trials";

const made = new WeakMap();

/** Make the section of tables, of which one is open, or bring it up to date. */
export function tables(page, before) {
  const known = made.get(before);
  if (known) {
    known.update(page.tables);
    return before;
  }
  const section = new Section(page.tables);
  made.set(section.element, section);
  return section.element;
}

class Section {
  constructor(tables) {
    this.panel = h("div", { role: "tabpanel", id: "table" });
    this.list = h("div", {
      class: "tabs",
      role: "tablist",
      "aria-label": "tables",
      keydown: (event) => move(event, [...this.tabs.values()]),
    });
    this.tabs = new Map();
    this.sheets = new Map();
    this.paper = h("p", { class: "on-paper" });
    this.element = h("section", { id: "tables" }, h("h2", {}, "Tables"), this.list, this.panel, this.paper);
    this.update(tables);
  }

  update(tables) {
    this.tables = new Map(tables.map((about) => [about.name, about]));
    for (const name of this.tables.keys()) {
      if (!this.tabs.has(name)) {
        this.tabs.set(name, this.tab(name));
        this.list.append(this.tabs.get(name));
      }
    }
    const files = tables.map((about) => about.file).filter(Boolean);
    this.paper.textContent = `Beside this page: ${files.join(", ")}.`;
    this.open(this.chosen ?? (this.tables.has(FIRST) ? FIRST : tables[0].name));
  }

  tab(name) {
    const attributes = { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "table" };
    return h("button", { ...attributes, click: () => this.open(name) }, name);
  }

  async open(name) {
    this.chosen = name;
    for (const [each, tab] of this.tabs) {
      set(tab, { "aria-selected": String(each === name), tabindex: each === name ? "0" : "-1" });
    }
    set(this.panel, { "aria-labelledby": this.tabs.get(name).id });
    const content = await this.contentOf(this.tables.get(name));
    if (this.chosen === name && this.panel.firstChild !== content) {
      this.panel.replaceChildren(content);
    }
  }

  async contentOf(about) {
    if (about.part === null) {
      const where = about.file ? `: see ${about.file} beside this page` : "";
      return h("p", { class: "soft" }, `Its ${counted(about.rows, "row")} would make this page too large${where}.`);
    }
    if (about.rows === 0) {
      return h("p", { class: "soft" }, "It has no rows.");
    }
    const cells = await part(about.part);
    const known = this.sheets.get(about.name);
    if (known) {
      known.renew(about, cells);
      return known.element;
    }
    this.sheets.set(about.name, new Sheet(about, cells));
    return this.sheets.get(about.name).element;
  }
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
