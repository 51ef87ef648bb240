// How many messages a search had cost over time, and when right answers came.

import { s } from "../../dom.js";
import { Chart } from "../chart.js";

/** Draws the chart of a search; `seek` is called with the time at which one points. */
export class Count extends Chart {
  constructor(search, timeText, seek) {
    super("The messages of the search that had been sent, over time; marks are right answers", search.end, seek);
    this.search = search;
    this.textOf = timeText;
    this.most = Math.max(1, search.messages.length);
  }

  levels() {
    const half = this.most / 2;
    return [[0, "0"], ...(Number.isInteger(half) ? [[0.5, String(half)]] : []), [1, String(this.most)]];
  }

  timeText(t) {
    return this.textOf(t);
  }

  lines() {
    const { messages, right } = this.search;
    const marks = right.map(({ t }) =>
      s("path", { class: "right", d: `M${this.x(t).toFixed(1)} ${this.y(1).toFixed(1)}V${this.y(0).toFixed(1)}` }),
    );
    return [
      ...marks,
      this.line(messages, "question"),
      this.line(
        messages.filter((message) => message.isAnswer),
        "answer",
      ),
    ];
  }

  /** Return a line that rises with each message: of all, or of the answers among them. */
  line(messages, style) {
    const steps = messages.map(
      ({ sent }, number) => `H${this.x(sent).toFixed(1)}V${this.y((number + 1) / this.most).toFixed(1)}`,
    );
    const end = `H${this.x(this.end).toFixed(1)}`;
    return s("path", { class: `count ${style}`, d: `M${this.x(0)} ${this.y(0)}${steps.join("")}${end}` });
  }
}
