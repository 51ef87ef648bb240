// What a replay of a swarm shows: who gives to whom, who has what, and how far each peer is.

import { h } from "../../dom.js";
import { counted, seconds } from "../../numbers.js";
import { SPEEDS } from "../clock.js";
import { legend, meaning } from "./explanations.js";
import { Matrix } from "./matrix.js";
import { hostsTable, inWords, readings } from "./moment.js";
import { Progress } from "./progress.js";
import { Ring } from "./ring.js";
import { Swarm } from "./swarm.js";

/** The view of a swarm, for a player. */
export class SwarmView {
  constructor(data, player) {
    this.swarm = new Swarm(data);
    this.player = player;
    this.chosen = new Set();
    this.piece = null;
    this.ring = new Ring(this.swarm, (host) =>
      this.choose(this.chosen.has(host) && this.chosen.size === 1 ? "" : `host ${host}`),
    );
    this.chart = new Progress(this.swarm, (t) => player.seek(t));
    this.matrix = new Matrix(this.swarm, (piece) => this.follow(piece === this.piece ? null : piece));
    this.end = data.seconds;
    this.start = this.swarm.middle();
    this.step = 1;
    this.finest = 0.1;
    this.stepName = "a second";
    this.speeds = SPEEDS;
    this.tableNote = "Served by and serves: who is unchoked; * began as an optimistic unchoke.";
    this.build();
  }

  build() {
    this.slots = h("input", { type: "checkbox", change: () => this.player.draw() });
    this.who = h("select", { change: () => this.choose(this.who.value) }, this.choices());
    this.pieces = h("input", {
      type: "number",
      min: 0,
      max: (this.swarm.data.pieces ?? 1) - 1,
      placeholder: "all",
      input: () => this.follow(this.pieces.value === "" ? null : Number(this.pieces.value)),
    });
    this.bar = [
      h("label", { class: "choice" }, "Look at", this.who),
      this.swarm.data.pieces !== null && h("label", { class: "choice" }, "Follow piece", this.pieces),
      h("label", { class: "choice" }, this.slots, "Open slots without traffic"),
    ];
    this.stage = [this.ring.picture, legend(this.swarm)];
    this.aside = [
      meaning(),
      h("div", { class: "part" }, this.matrix.element, h("p", { class: "small soft" }, this.matrix.caption())),
    ];
  }

  choices() {
    const hosts = this.swarm.hosts.map((host, number) => h("option", { value: `host ${number}` }, host.name));
    const groups = this.swarm.groups.map((group, number) => h("option", { value: `group ${number}` }, `all ${group}`));
    return [
      h("option", { value: "" }, "everyone"),
      this.swarm.groups.length > 1 && h("optgroup", { label: "groups" }, groups),
      h("optgroup", { label: "hosts" }, hosts),
    ];
  }

  choose(value) {
    const [kind, number] = value.split(" ");
    const belongs = {
      host: (_, place) => place === Number(number),
      group: (host) => host.role !== "server" && host.group === this.swarm.groups[Number(number)],
    }[kind];
    const places = this.swarm.hosts.map((_, place) => place);
    this.chosen = new Set(belongs ? places.filter((place) => belongs(this.swarm.hosts[place], place)) : []);
    this.who.value = value;
    this.player.draw();
  }

  /** Follow a piece through the swarm; null for none. */
  follow(piece) {
    const { pieces } = this.swarm.data;
    this.piece = pieces !== null && piece !== null && piece >= 0 && piece < pieces ? Math.floor(piece) : null;
    if (document.activeElement !== this.pieces) {
      this.pieces.value = this.piece ?? "";
    }
    this.player.draw();
  }

  resize(stage, chart) {
    this.ring.resize(stage);
    this.chart.resize(chart);
  }

  recolour() {
    this.matrix.recolour();
  }

  draw(t) {
    const look = { chosen: this.chosen, showsSlots: this.slots.checked, piece: this.piece };
    this.ring.draw(t, look);
    this.chart.draw(t, this.chosen);
    this.matrix.draw(t, look);
  }

  timeText(t) {
    return `${t.toFixed(1)} of ${seconds(this.end)}`;
  }

  readings(t) {
    return readings(this.swarm, t, this.piece);
  }

  inShort(t) {
    return `${seconds(t)}, ${counted(this.swarm.facts(t).complete, "peer")} complete`;
  }

  inWords(t) {
    return inWords(this.swarm, t);
  }

  momentTable(t) {
    return hostsTable(this.swarm, t);
  }
}
