// The page of a run: made of what is known, and brought up to date when more is.

import { h } from "./dom.js";
import { figures } from "./figures.js";
import { contents } from "./frame.js";
import { kept } from "./keeping.js";
import { answer, head } from "./overview.js";
import { replays } from "./replay/section.js";
import { tables } from "./tables/section.js";
import { themes } from "./themes.js";
import { provenance, trust } from "./trust.js";

const TITLES = {
  answer: "Numbers",
  figures: "Figures",
  replay: "Replay",
  tables: "Tables",
  trust: "Trust",
  provenance: "Provenance",
};

/** How far down the window readers look, as a share of its height. */
const MIDDLE = 0.4;
/** The sections in their order. Each is made from the page, and from itself if it was made before; null for none. */
const SECTIONS = [plainly(answer), figures, replays, tables, plainly(trust), plainly(provenance)];

function plainly(make) {
  return (page, before) => kept(before, make(page));
}

/** The page of a run: it is made once, and follows what becomes known later. */
export class Shown {
  /** Made with what leads away from the page, and what is said before anything else; a page in a file has neither. */
  constructor(back = null, status = null) {
    this.head = null;
    this.sections = SECTIONS.map(() => null);
    this.nav = h("nav");
    this.main = h("main");
    this.run = h("span");
    this.top = h(
      "header",
      { class: "head" },
      h("div", { class: "run" }, h("span", {}, back, this.run), themes()),
      status,
    );
    this.element = h("div", { class: "page" }, this.top, this.nav, this.main);
  }

  /** Show what is known now; what is being read stays where it is in the window. */
  update(page) {
    const seen = this.sections.findLast((section) => section && topOf(section) < innerHeight * MIDDLE);
    const top = seen && topOf(seen);
    this.fill(page);
    if (seen && Math.abs(topOf(seen) - top) > 1) {
      scrollBy({ top: topOf(seen) - top, behavior: "instant" });
    }
  }

  fill(page) {
    this.run.textContent = `testbed run ${page.run}`;
    this.head = head(page, this.head);
    this.top.append(this.head);
    this.sections = SECTIONS.map((make, place) => make(page, this.sections[place]));
    const shown = this.sections.filter(Boolean);
    if (shown.length !== this.main.childElementCount) {
      const nav = contents(shown, TITLES);
      this.nav.replaceWith(nav);
      this.nav = nav;
    }
    put(this.main, shown);
  }
}

function topOf(element) {
  return element.getBoundingClientRect().top;
}

/** Have these elements in a place; those that are there are not moved, so they keep how far they are scrolled. */
function put(place, elements) {
  elements.forEach((element, number) => {
    if (place.children[number] !== element) {
      place.insertBefore(element, place.children[number] ?? null);
    }
  });
}
