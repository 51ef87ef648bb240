// The section of replays: one is shown at a time.

import { part } from "../data.js";
import { h } from "../dom.js";
import { verdict } from "../overview.js";
import { Player } from "./player.js";

const made = new WeakMap();

/** Make the section, or bring it up to date; null if there is no replay. */
export function replays(page, before) {
  const { shown, left_out: leftOut } = page.replays;
  if (shown.length === 0) {
    return leftOut ? h("section", { id: "replay" }, h("h2", {}, "Replay"), h("p", { class: "soft" }, leftOut)) : null;
  }
  const section = made.get(before) ?? new Section();
  made.set(section.element, section);
  section.update(shown, leftOut);
  return section.element;
}

class Section {
  constructor() {
    this.player = null;
    this.options = new Map();
    this.select = h("select", { change: () => this.open() });
    this.note = h("p", { class: "small" });
    this.place = h("div");
    this.leftOut = h("p", { class: "small soft" });
    this.element = h(
      "section",
      { id: "replay" },
      h("h2", {}, "Replay"),
      h("p", { class: "replay-bar" }, h("label", { class: "choice" }, "Trial", this.select)),
      this.note,
      this.place,
      this.leftOut,
    );
  }

  /** Offer these replays. What is being looked at stays as it is, whatever is added before or after it. */
  update(shown, leftOut) {
    this.leftOut.textContent = leftOut;
    this.shown = new Map(shown.map((about) => [about.part, about]));
    for (const [name, option] of this.options) {
      if (!this.shown.has(name)) {
        option.remove();
        this.options.delete(name);
      }
    }
    shown.forEach(({ part: name, name: title }, number) => {
      if (!this.options.has(name)) {
        this.options.set(name, h("option", { value: name }, title));
        this.select.insertBefore(this.options.get(name), this.select.options[number] ?? null);
      }
    });
    if (this.player === null) {
      this.open();
    }
  }

  async open() {
    const about = this.shown.get(this.select.value);
    try {
      const data = await part(about.part);
      if (this.select.value === about.part) {
        this.show(new Player(data), about);
      } // otherwise another one was chosen meanwhile
    } catch (error) {
      if (this.select.value === about.part) {
        this.show(null, about, error.message);
      }
    }
  }

  show(player, about, trouble = "") {
    this.player?.close();
    this.player = player;
    const isUsed = about.verdict === "valid";
    this.note.replaceChildren(
      ...(isUsed ? [] : [verdict(about.verdict, `this trial is ${about.verdict}: it is not in the numbers above`)]),
    );
    this.place.replaceChildren(player?.element ?? h("p", { class: "soft", role: "alert" }, `No replay: ${trouble}`));
  }
}
