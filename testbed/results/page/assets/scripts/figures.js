// The figures of the run, as they are for a paper, and their numbers.

import { part } from "./data.js";
import { h } from "./dom.js";
import { Sheet } from "./tables/sheet.js";

const made = new WeakMap();

/** Make the section of figures, or bring it up to date; null if there are none. */
export function figures(page, before) {
  if (page.figures.length === 0) {
    return null;
  }
  if (!before) {
    const place = h("div", { class: "figures" });
    before = h("section", { id: "figures" }, h("h2", {}, "Figures"), place);
    made.set(before, { place, byName: new Map() });
  }
  const { place, byName } = made.get(before);
  const found = page.figures.map((about) => {
    const figure = byName.get(about.name) ?? new Figure(about);
    byName.set(about.name, figure);
    figure.update(about);
    return figure.element;
  });
  if (found.some((element, number) => place.children[number] !== element)) {
    place.replaceChildren(...found);
  }
  return before;
}

class Figure {
  constructor(about) {
    const name = about.name.replaceAll("_", " ");
    this.file = `figures/${about.name}.pdf`;
    this.image = h("img", { alt: `The figure ${name}, a ${about.kind}; its numbers follow as a table.` });
    this.numbers = null;
    this.summary = h("summary");
    this.details = h("details", { toggle: () => this.showNumbers() }, this.summary);
    this.place = h("div");
    const caption = h("figcaption", {}, h("strong", {}, name), h("span", { class: "soft" }, ` · ${this.file}`));
    const isWide = about.size === "wide" || about.kind === "heatmap";
    this.element = h("figure", { class: isWide ? "wide" : false }, this.place, caption);
  }

  update(about) {
    this.about = about;
    if (about.part === null) {
      this.place.replaceChildren(h("p", { class: "soft" }, `It is too large for this page: see ${this.file}.`));
    } else {
      this.draw();
    }
    this.summary.textContent = `Its numbers (${about.numbers.rows})`;
    if (about.numbers.part !== null) {
      this.element.append(this.details);
      this.showNumbers();
    }
  }

  async draw() {
    if (this.image.parentElement === null) {
      this.place.replaceChildren(this.image);
    }
    const source = `data:image/svg+xml,${encodeURIComponent(await part(this.about.part))}`;
    if (this.image.getAttribute("src") !== source) {
      this.image.setAttribute("src", source);
    }
  }

  /** Show the numbers if they are wanted: the first time, and again when they have changed. */
  async showNumbers() {
    if (!this.details.open) {
      return;
    }
    const about = this.about.numbers;
    const cells = await part(about.part);
    if (this.numbers === null) {
      this.numbers = new Sheet(about, cells);
      this.details.append(this.numbers.element);
    } else {
      this.numbers.renew(about, cells);
    }
  }
}
