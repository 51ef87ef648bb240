// How much of the file each peer had over the whole trial, and where the replay is in it.

import { s } from "../../dom.js";
import { plain } from "../../numbers.js";
import { Chart } from "../chart.js";
import { lookOf } from "../shapes.js";

const LABEL = "The share of the file that each peer had, over time; thick lines are the means of groups";

/** Draws the chart; `seek` is called with the time at which one points. */
export class Progress extends Chart {
  constructor(swarm, seek) {
    super(LABEL, swarm.data.seconds, seek);
    this.swarm = swarm;
    this.ofHosts = new Map();
    this.resize(800);
  }

  levels() {
    return [0, 0.5, 1].map((share) => [share, `${100 * share} %`]);
  }

  timeText(t) {
    return `${plain(t)} s`;
  }

  lines() {
    this.ofHosts.clear();
    return [...this.ones(), ...this.means()];
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
      this.ofHosts.set(host, line);
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

  /** Draw a time, with some hosts in front of the others. */
  draw(t, chosen) {
    super.draw(t);
    this.ofHosts.forEach((line, host) => line.classList.toggle("chosen", chosen.has(host)));
  }
}
