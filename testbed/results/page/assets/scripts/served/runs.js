// The list of all runs, which follows them.

import { h, mark, set } from "../dom.js";
import { counted } from "../numbers.js";
import { verdict } from "../overview.js";
import { themes } from "../themes.js";
import { listen } from "./events.js";

const HEADINGS = ["run", "began", "state", "trials", "verdicts", "as expected"];
const VERDICTS = ["valid", "suspect", "failed"];

class List {
  constructor(place) {
    this.rows = new Map();
    this.body = h("tbody", { role: "rowgroup" });
    this.count = h("p", { class: "soft small", role: "status" }, "Looking for runs");
    this.trouble = h("p", { class: "trouble small", role: "alert", hidden: true });
    const heads = HEADINGS.map((name) => h("th", { scope: "col", role: "columnheader" }, name));
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads));
    // Narrow windows show the cells of a row below each other, so what they are is said here too.
    const table = h("table", { class: "runs", role: "table" }, head, this.body);
    this.scroll = h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": "runs", hidden: true },
      table,
    );
    place.replaceChildren(
      h(
        "div",
        { class: "page" },
        h(
          "header",
          { class: "head" },
          h("div", { class: "run" }, h("span", {}, "testbed"), themes()),
          h("h1", {}, "Runs"),
        ),
        h("main", { class: "list" }, this.count, this.trouble, this.scroll),
      ),
    );
  }

  hear({ runs, trouble }) {
    this.known = trouble;
    this.complain(trouble);
    this.count.textContent = runs.length
      ? counted(runs.length, "run")
      : "There are no runs yet: `testbed run` makes them.";
    set(this.scroll, { hidden: runs.length === 0 });
    const names = new Set(runs.map((run) => run.name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.element.remove();
        this.rows.delete(name);
      }
    }
    runs.forEach((run, number) => {
      this.put(run, number);
    });
  }

  put(run, number) {
    const row = this.rows.get(run.name) ?? new Row(run);
    this.rows.set(run.name, row);
    row.update(run);
    if (this.body.children[number] !== row.element) {
      this.body.insertBefore(row.element, this.body.children[number] ?? null);
    }
  }

  lose(isLost) {
    this.complain(isLost ? "The server does not answer: was it ended?" : (this.known ?? ""));
  }

  complain(text) {
    set(this.trouble, { hidden: text === "" });
    this.trouble.textContent = text;
  }
}

class Row {
  constructor(run) {
    this.title = h("a", { href: `run/${encodeURIComponent(run.name)}/` });
    this.folder = h("div", { class: "soft name" }, run.name);
    this.name = h("th", { scope: "row", role: "rowheader" }, this.title, this.folder);
    this.element = h("tr", { role: "row" }, this.name);
    this.told = "";
  }

  update(run) {
    const told = JSON.stringify(run);
    if (told !== this.told) {
      this.told = told;
      this.title.textContent = run.title || run.name;
      set(this.folder, { hidden: !run.title });
      // The name stays where it is, and with it the focus.
      [...this.element.children].slice(1).forEach((cell) => cell.remove());
      this.element.append(...cells(run));
    }
  }
}

function cells(run) {
  const counts = VERDICTS.filter((name) => run.verdicts[name]).map((name) => tally(run, name));
  const held = run.expected && `${run.held ?? "?"} of ${run.expected}`;
  const contents = [when(run.began), state(run), trials(run), counts.length && h("ul", {}, counts), held];
  return contents.map((content, place) => cell(HEADINGS[place + 1], content));
}

function cell(heading, content) {
  const label = h("span", { class: "label soft" }, heading);
  return h("td", { role: "cell", class: content ? false : "empty" }, label, h("div", {}, content || "–"));
}

function tally(run, name) {
  return h("li", {}, verdict(name, `${run.verdicts[name]} ${name}`));
}

function trials({ complete, planned }) {
  if (!planned) {
    return null;
  }
  const bar = complete < planned && h("progress", { max: planned, value: complete, "aria-hidden": "true" });
  return [`${complete} of ${planned}`, bar];
}

function state(run) {
  if (run.damage) {
    return [mark("bad", "✗", "damaged"), h("div", { class: "soft damage" }, run.damage)];
  }
  if (run.in_use) {
    return mark("going", "●", "running");
  }
  return run.state === "finished" ? mark("good", "✓", "ended") : mark("doubt", "■", "not complete");
}

function when(began) {
  const local = new Date(began);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`;
  return `${day} ${two(local.getHours())}:${two(local.getMinutes())}`;
}

const place = document.getElementById("page");
if (place !== null) {
  const list = new List(place);
  listen(
    "runs/events",
    (value) => list.hear(value),
    (isLost) => list.lose(isLost),
  );
}
