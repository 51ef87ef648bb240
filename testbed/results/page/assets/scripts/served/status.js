// How far a run is, in words and as a bar.

import { h, mark, set } from "../dom.js";
import { counted } from "../numbers.js";

const PHASES = {
  running: ["going", "●", "Running"],
  reporting: ["going", "●", "All trials have ended; the report is being written"],
  ended: ["good", "✓", "Ended"],
  stopped: ["doubt", "■", "Not running"],
};

/** The line that says how far a run is. */
export class Status {
  constructor() {
    this.state = h("span");
    this.trials = h("span");
    this.now = h("span", { class: "soft" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "trials that have ended" });
    this.reading = h("p", { class: "small soft", role: "status" });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const words = h("p", { role: "status" }, this.state, " ", this.trials, " ", this.now);
    this.element = h("div", { class: "live small" }, words, this.bar, this.reading, this.trouble);
  }

  update(state) {
    const { phase, planned, done, now, read } = state;
    this.state.replaceChildren(mark(...PHASES[phase]));
    this.trials.textContent = planned
      ? `${done} of ${counted(planned, "trial")} ${done === 1 ? "has" : "have"} ended`
      : "";
    this.now.textContent = now ? `· now trial ${now.number}: ${now.name}, since ${clock(now.since)}` : "";
    set(this.bar, { max: Math.max(1, planned), value: done, hidden: phase === "ended" || planned === 0 });
    this.reading.textContent = read ? `Reading what the trials left: ${read[0]} of ${read[1]}` : "";
    this.complain(state.trouble);
  }

  complain(text) {
    set(this.trouble, { hidden: text === "" });
    this.trouble.textContent = text;
  }
}

/** Write a time of the wall clock, which is given in seconds since 1970. */
export function clock(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}
