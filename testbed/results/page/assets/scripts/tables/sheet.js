// A table that one can sort and filter. Columns in which all rows are the same are told in a line above it.

import { h, set } from "../dom.js";
import { counted, plain, unitFor } from "../numbers.js";
import { readQuery } from "./query.js";
import { sorted } from "./sorting.js";

const FIRST_ROWS = 50;
const MORE_ROWS = 500;
const LONG_TEXT = 40;
const LONGEST_EXAMPLE = 14;

/**
 * Make the table of a sheet: what the overview says about it, and its cells by column. Some columns may have a function
 * of their own, which makes the cell of a row.
 */
export function sheet(about, cells, makers = {}) {
  return new Sheet(about, cells, makers).element;
}

/** The same as an object, whose cells can be renewed. */
export class Sheet {
  constructor(about, cells, makers = {}) {
    this.makers = makers;
    this.take(about, cells);
    this.order = { place: null, direction: null };
    this.most = FIRST_ROWS;
    this.showsAll = false;
    this.element = h("div", { class: "sheet" });
    this.build();
    this.update();
  }

  take(about, cells) {
    this.about = about;
    this.cells = cells;
    this.columns = about.columns.map((column, place) => prepared(column, cells.columns[place]));
  }

  /** Show other cells in the same order, with the same filter. */
  renew(about, cells) {
    if (cells === this.cells) {
      return;
    }
    const name = this.columns[this.order.place]?.name;
    this.take(about, cells);
    const place = this.columns.findIndex((column) => column.name === name);
    this.order = place < 0 ? { place: null, direction: null } : { ...this.order, place };
    this.tell();
    this.update();
  }

  build() {
    const name = this.about.name;
    this.query = h("input", {
      type: "search",
      spellcheck: "false",
      input: () => this.requery(),
    });
    this.count = h("span", { class: "soft small", role: "status" });
    this.fault = h("p", { class: "fault", role: "alert", hidden: true });
    this.all = h("input", { type: "checkbox", change: () => this.toggleColumns() });
    this.head = h("tr");
    this.body = h("tbody");
    this.more = h("button", { type: "button", class: "more", click: () => this.showMore() });
    this.allColumns = h("label", { class: "choice" }, this.all, "All columns");
    this.same = h("p", { class: "same" });
    const parts = [
      h(
        "div",
        { class: "sheet-bar" },
        h("label", { class: "choice wide" }, "Filter", this.query),
        this.allColumns,
        this.count,
      ),
      this.fault,
      this.same,
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "group", "aria-label": `rows of ${name}` },
        h("table", {}, h("caption", { class: "hidden" }, name), h("thead", {}, this.head), this.body),
      ),
      this.more,
      this.meanings(),
    ];
    this.element.append(...parts.filter(Boolean));
    this.tell();
  }

  /** Say what depends on the cells, besides their rows. */
  tell() {
    const same = this.sameInAll();
    this.same.textContent = same;
    set(this.same, { hidden: same === "" });
    set(this.query, { placeholder: this.example() });
    set(this.allColumns, { hidden: !this.columns.some((column) => column.isFolded) });
  }

  example() {
    const open = this.columns.filter((column) => !column.isFolded && column.name.length <= LONGEST_EXAMPLE);
    const word = open.find((column) => column.style === "word");
    const number = open.find((column) => column.numeric && column.name !== "seed");
    return ["words", word && `${word.name}=…`, number && `${number.name}>…`].filter(Boolean).join(", or ");
  }

  sameInAll() {
    const folded = this.columns.filter((column) => column.isFolded);
    const same = folded.filter((column) => column.shown[0] !== null);
    const empty = folded.filter((column) => column.shown[0] === null);
    const parts = [
      same.length &&
        `The same in all rows: ${same.map((column) => `${column.name} ${this.text(column, 0)} ${column.unitName}`.trim()).join(", ")}.`,
      empty.length && `Empty: ${empty.map((column) => column.name).join(", ")}.`,
    ].filter(Boolean);
    return parts.join(" ");
  }

  meanings() {
    const known = this.columns.filter((column) => column.meaning);
    if (known.length === 0) {
      return null;
    }
    const terms = known.flatMap((column) => [h("dt", {}, column.name), h("dd", {}, column.meaning)]);
    return h("details", {}, h("summary", {}, "What the columns mean"), h("dl", { class: "facts columns" }, terms));
  }

  visible() {
    return this.columns.filter((column) => this.showsAll || !column.isFolded);
  }

  update() {
    const names = this.columns.map((column) => column.name);
    const query = readQuery(this.query.value, names);
    set(this.fault, { hidden: query.fault === "" });
    this.fault.textContent = query.fault;
    const all = Array.from({ length: this.about.shown }, (_, row) => row);
    const held = all.filter((row) => query.holds((place) => this.columns[place].shown[row]));
    const { place, direction } = this.order;
    this.rows = place === null ? held : sorted(held, this.columns[place].shown, direction);
    this.draw();
  }

  draw() {
    const columns = this.visible();
    const focused = [...this.head.children].indexOf(document.activeElement?.parentElement);
    this.head.replaceChildren(...columns.map((column) => this.heading(column)));
    this.body.replaceChildren(...this.rows.slice(0, this.most).map((row) => this.line(columns, row)));
    this.head.children[focused]?.firstChild.focus();
    const left = this.rows.length - this.most;
    set(this.more, { hidden: left <= 0 });
    this.more.textContent = `Show ${Math.min(left, MORE_ROWS)} more rows`;
    this.count.textContent = this.counts();
  }

  counts() {
    const { rows, shown, file } = this.about;
    const found =
      this.rows.length === shown ? counted(shown, "row") : `${this.rows.length} of ${counted(shown, "row")}`;
    const where = file ? `; the other ${rows - shown} are in ${file}` : "";
    return rows > shown ? `${found}, the first of ${rows}${where}` : found;
  }

  heading(column) {
    const isOrder = this.columns[this.order.place] === column;
    const sign = !isOrder ? "" : this.order.direction === "ascending" ? " ↑" : " ↓";
    const unit = column.unitName ? ` (${column.unitName})` : "";
    const button = h(
      "button",
      { type: "button", title: column.meaning || false, click: () => this.reorder(column) },
      `${column.name}${unit}`,
      sign && h("span", { "aria-hidden": "true" }, sign),
    );
    return h(
      "th",
      { scope: "col", class: column.numeric ? "number" : false, "aria-sort": isOrder ? this.order.direction : false },
      button,
    );
  }

  line(columns, row) {
    return h(
      "tr",
      {},
      columns.map((column) => this.makers[column.name]?.(row) ?? this.cell(column, this.text(column, row))),
    );
  }

  cell(column, text) {
    // An id is cut on its left, as its end tells it apart; the whole of it is in its title.
    return column.style === "id"
      ? h("td", { class: "id", title: text }, h("bdi", {}, text))
      : h("td", { class: column.style }, text);
  }

  text(column, row) {
    const value = column.shown[row];
    return value === null ? "" : column.numeric ? plain(value, 6) : value;
  }

  reorder(column) {
    const place = this.columns.indexOf(column);
    const isAgain = this.order.place === place && this.order.direction === "ascending";
    this.order = { place, direction: isAgain ? "descending" : "ascending" };
    this.update();
    this.head.children[this.visible().indexOf(column)].firstChild.focus();
  }

  requery() {
    this.most = FIRST_ROWS;
    this.update();
  }

  toggleColumns() {
    this.showsAll = this.all.checked;
    this.draw();
  }

  showMore() {
    this.most += MORE_ROWS;
    this.draw();
  }
}

/** Return a column with its cells in the unit in which they have few digits. */
function prepared(column, cells) {
  const unit = column.numeric ? unitFor(column.unit, largest(cells)) : { name: "", worth: 1 };
  const shown = unit.worth === 1 ? cells : cells.map((cell) => (cell === null ? null : cell / unit.worth));
  const isFolded = cells.length > 1 && cells.every((cell) => cell === cells[0]);
  const isId = column.name === "trial" || column.name === "pair";
  const style = column.numeric ? "number" : isId ? "id" : longest(cells) > LONG_TEXT ? "text" : "word";
  return { ...column, shown, unitName: unit.name, isFolded, style };
}

function longest(cells) {
  return cells.reduce((most, cell) => Math.max(most, String(cell ?? "").length), 0);
}

function largest(cells) {
  return cells.reduce((most, cell) => Math.max(most, Math.abs(cell ?? 0)), 0);
}
