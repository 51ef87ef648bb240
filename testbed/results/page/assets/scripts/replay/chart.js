// A chart over the time of a replay, with a line where the replay is; pointing at it seeks.

import { s, set } from "../dom.js";

export const HEIGHT = 130;
const LEFT = 38;
const BOTTOM = 20;
const TOP = 6;

/** Draws axes and what `lines` returns. `end` is the last time, and `seek` is called with the time at which one points. */
export class Chart {
  constructor(label, end, seek) {
    this.end = end;
    this.now = s("line", { class: "now" });
    this.picture = s("svg", { role: "img", "aria-label": label });
    set(this.picture, {
      pointerdown: (event) => {
        this.picture.setPointerCapture(event.pointerId);
        seek(this.timeAt(event));
      },
      pointermove: (event) => event.buttons && seek(this.timeAt(event)),
    });
  }

  /** The heights of the lines across, from 0 to 1, with their texts. */
  levels() {
    return [];
  }

  /** The text of a time on the axis. */
  timeText(t) {
    return String(t);
  }

  /** The elements between the axes. */
  lines() {
    return [];
  }

  timeAt(event) {
    const box = this.picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    return ((x - LEFT) / (this.width - LEFT)) * this.end;
  }

  x(t) {
    return LEFT + ((this.width - LEFT) * t) / this.end;
  }

  y(share) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  }

  resize(width) {
    this.width = width;
    set(this.picture, { viewBox: `0 0 ${width} ${HEIGHT}` });
    this.picture.replaceChildren(...this.axes(), ...this.lines(), this.now);
  }

  axes() {
    const step = niceStep(this.end, Math.max(3, Math.floor(this.width / 110)));
    const times = Array.from({ length: Math.floor(this.end / step + 1e-9) + 1 }, (_, number) => number * step);
    const across = this.levels().flatMap(([share, text]) => [
      s("line", { class: "axis", x1: LEFT, x2: this.width, y1: this.y(share), y2: this.y(share) }),
      s("text", { x: LEFT - 6, y: this.y(share), "text-anchor": "end", "dominant-baseline": "central" }, text),
    ]);
    const labels = times.map((t) => {
      const isLast = this.x(t) > this.width - 20;
      return s(
        "text",
        { x: this.x(t), y: HEIGHT - 4, "text-anchor": t === 0 ? "start" : isLast ? "end" : "middle" },
        this.timeText(t),
      );
    });
    return [...across, ...labels];
  }

  /** Draw a time. */
  draw(t) {
    const x = this.x(t).toFixed(1);
    set(this.now, { x1: x, x2: x, y1: 0, y2: HEIGHT - BOTTOM + 4 });
  }
}

/** Return a step of 1, 2 or 5 times a power of ten that divides a length into about so many parts. */
export function niceStep(length, parts) {
  const rough = length / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
}
