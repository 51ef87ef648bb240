// How much of the file each peer had over the whole trial, and where the replay is in it.

import { s, set } from "../dom.js";
import { plain } from "../numbers.js";
import { lookOf } from "./shapes.js";

const HEIGHT = 130;
const LEFT = 38;
const BOTTOM = 20;
const TOP = 6;

/** Draws the chart; `seek` is called with the time at which one points. */
export class Progress {
  constructor(swarm, seek) {
    this.swarm = swarm;
    this.now = s("line", { class: "now" });
    this.picture = s("svg", {
      role: "img",
      "aria-label": "The share of the file that each peer had, over time; thick lines are the means of groups",
    });
    this.lines = new Map();
    set(this.picture, {
      pointerdown: (event) => {
        this.picture.setPointerCapture(event.pointerId);
        seek(this.timeAt(event));
      },
      pointermove: (event) => event.buttons && seek(this.timeAt(event)),
    });
    this.resize(800);
  }

  timeAt(event) {
    const box = this.picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    return ((x - LEFT) / (this.width - LEFT)) * this.swarm.data.seconds;
  }

  x(t) {
    return LEFT + ((this.width - LEFT) * t) / this.swarm.data.seconds;
  }

  y(share) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  }

  resize(width) {
    this.width = width;
    set(this.picture, { viewBox: `0 0 ${width} ${HEIGHT}` });
    this.lines.clear();
    this.picture.replaceChildren(...this.axes(), ...this.ones(), ...this.means(), this.now);
  }

  axes() {
    const { seconds } = this.swarm.data;
    const step = niceStep(seconds, Math.max(3, Math.floor(this.width / 110)));
    const times = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, number) => number * step);
    const levels = [0, 0.5, 1].flatMap((share) => [
      s("line", { class: "axis", x1: LEFT, x2: this.width, y1: this.y(share), y2: this.y(share) }),
      s(
        "text",
        { x: LEFT - 6, y: this.y(share), "text-anchor": "end", "dominant-baseline": "central" },
        `${100 * share} %`,
      ),
    ]);
    const labels = times.map((t) => {
      const isLast = this.x(t) > this.width - 20;
      return s(
        "text",
        { x: this.x(t), y: HEIGHT - 4, "text-anchor": t === 0 ? "start" : isLast ? "end" : "middle" },
        `${plain(t)} s`,
      );
    });
    return [...levels, ...labels];
  }

  peers() {
    return this.swarm.hosts.map((_, host) => host).filter((host) => this.swarm.hosts[host].role !== "server");
  }

  ones() {
    return this.peers().map((host) => {
      const line = s("path", {
        class: `one group-${this.look(host)}`,
        d: this.path((t) => this.swarm.share(host, t), this.swarm.hosts[host].lives[0]?.[0]),
      });
      this.lines.set(host, line);
      return line;
    });
  }

  means() {
    return this.swarm.groups.map((group) => {
      const members = this.peers().filter((host) => this.swarm.hosts[host].group === group);
      const mean = (t) => members.reduce((sum, host) => sum + this.swarm.share(host, t), 0) / members.length;
      return s("path", { class: `mean group-${this.look(members[0])}`, d: this.path(mean, 0) });
    });
  }

  look(host) {
    return lookOf(this.swarm.hosts[host], this.swarm.groups);
  }

  path(share, begin = 0) {
    const { seconds, step } = this.swarm.data;
    const times = Array.from({ length: this.swarm.steps + 1 }, (_, number) => Math.min(seconds, number * step));
    const points = times.filter((t) => t >= begin).map((t) => `${this.x(t).toFixed(1)} ${this.y(share(t)).toFixed(1)}`);
    return points.length ? `M${points.join("L")}` : "";
  }

  /** Draw a time. */
  draw(t, chosen) {
    const x = this.x(t).toFixed(1);
    set(this.now, { x1: x, x2: x, y1: 0, y2: HEIGHT - BOTTOM + 4 });
    this.lines.forEach((line, host) => line.classList.toggle("chosen", chosen.has(host)));
  }
}

/** Return a step of 1, 2 or 5 times a power of ten that divides a length into about so many parts. */
export function niceStep(length, parts) {
  const rough = length / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
}
