// A replay with everything that belongs to it: pictures, controls, keys.

import { h, set } from "../dom.js";
import { counted, seconds } from "../numbers.js";
import { Clock, SPEEDS } from "./clock.js";
import { keys, legend, meaning } from "./explanations.js";
import { Matrix } from "./matrix.js";
import { hostsTable, inWords, readings } from "./moment.js";
import { Progress } from "./progress.js";
import { Ring } from "./ring.js";
import { Swarm } from "./swarm.js";

const WORDS_EVERY_MS = 500;

/** Shows one replay in a place of the page. */
export class Player {
  constructor(data) {
    this.swarm = new Swarm(data);
    this.clock = new Clock(data.seconds, this.swarm.middle());
    this.chosen = new Set();
    this.piece = null;
    this.told = 0;
    this.ring = new Ring(this.swarm, (host) =>
      this.choose(this.chosen.has(host) && this.chosen.size === 1 ? "" : `host ${host}`),
    );
    this.progress = new Progress(this.swarm, (t) => this.seek(t));
    this.matrix = new Matrix(this.swarm, (piece) => this.follow(piece === this.piece ? null : piece));
    this.build();
    this.watch();
    this.draw();
  }

  build() {
    this.slots = h("input", { type: "checkbox", change: () => this.draw() });
    this.who = h("select", { change: () => this.choose(this.who.value) }, this.choices());
    this.play = h("button", { type: "button", class: "play", click: () => this.toggle() });
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: this.clock.end,
      step: 0.1,
      "aria-label": "time",
      input: () => this.seek(Number(this.slider.value)),
    });
    this.time = h("output");
    this.speed = h(
      "select",
      { change: () => this.setSpeed(Number(this.speed.value)) },
      SPEEDS.map((speed) => h("option", { value: speed }, `${speed}×`)),
    );
    this.pieces = h("input", {
      type: "number",
      min: 0,
      max: (this.swarm.data.pieces ?? 1) - 1,
      placeholder: "all",
      input: () => this.follow(this.pieces.value === "" ? null : Number(this.pieces.value)),
    });
    this.readings = h("dl", { class: "readings" });
    this.words = h("p", { class: "hidden", role: "status" });
    this.table = h("details", { toggle: () => this.draw() }, h("summary", {}, "This moment as a table"));
    this.tablePlace = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "this moment" });
    this.table.append(
      h("p", { class: "small soft" }, "Served by and serves: who is unchoked; * began as an optimistic unchoke."),
      this.tablePlace,
    );
    this.stage = h("div", { class: "swarm" }, this.ring.picture, legend(this.swarm));
    this.chart = h("div", { class: "progress" }, this.progress.picture);
    this.element = h(
      "div",
      { class: "replay", role: "group", "aria-label": "replay", keydown: (event) => this.key(event) },
      h(
        "div",
        { class: "whole replay-bar" },
        h("label", { class: "choice" }, "Look at", this.who),
        this.swarm.data.pieces !== null && h("label", { class: "choice" }, "Follow piece", this.pieces),
        h("label", { class: "choice" }, this.slots, "Open slots without traffic"),
      ),
      h(
        "div",
        { class: "whole" },
        this.chart,
        h("div", { class: "seek" }, this.slider),
        h("div", { class: "controls" }, this.play, this.time, h("label", { class: "choice" }, "Speed", this.speed)),
      ),
      this.stage,
      h(
        "div",
        {},
        this.readings,
        meaning(),
        h("div", { class: "part" }, this.matrix.element, h("p", { class: "small soft" }, this.matrix.caption())),
      ),
      h("div", { class: "whole" }, this.words, this.table, keys()),
    );
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

  watch() {
    this.observer = new ResizeObserver(() => {
      this.ring.resize(Math.max(280, Math.min(620, this.stage.clientWidth || 560)));
      this.progress.resize(Math.max(280, this.chart.clientWidth || 800));
      this.draw();
    });
    this.observer.observe(this.stage);
    this.observer.observe(this.chart);
    this.onTheme = () => {
      this.matrix.recolour();
      this.draw();
    };
    document.addEventListener("themechange", this.onTheme);
  }

  /** Stop, before another replay takes its place. */
  close() {
    this.clock.isRunning = false;
    this.observer.disconnect();
    document.removeEventListener("themechange", this.onTheme);
  }

  toggle() {
    this.clock.toggle();
    if (this.clock.isRunning) {
      this.last = performance.now();
      requestAnimationFrame((now) => this.frame(now));
    }
    this.draw();
  }

  frame(now) {
    this.clock.advance(Math.max(0, now - this.last) / 1000);
    this.last = now;
    this.draw();
    if (this.clock.isRunning) {
      requestAnimationFrame((next) => this.frame(next));
    }
  }

  seek(t) {
    this.clock.seek(t);
    this.draw();
  }

  setSpeed(speed) {
    this.clock.speed = speed;
    this.draw();
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
    this.draw();
  }

  /** Follow a piece through the swarm; null for none. */
  follow(piece) {
    const { pieces } = this.swarm.data;
    this.piece = pieces !== null && piece !== null && piece >= 0 && piece < pieces ? Math.floor(piece) : null;
    if (document.activeElement !== this.pieces) {
      this.pieces.value = this.piece ?? "";
    }
    this.draw();
  }

  draw() {
    const { t, end, isRunning, speed } = this.clock;
    const look = { chosen: this.chosen, showsSlots: this.slots.checked, piece: this.piece };
    this.ring.draw(t, look);
    this.progress.draw(t, this.chosen);
    this.matrix.draw(t, look);
    this.slider.value = t;
    this.time.textContent = `${t.toFixed(1)} of ${seconds(end)}`;
    this.play.textContent = isRunning ? "Pause" : "Play";
    this.speed.value = speed;
    this.tell(t, isRunning);
  }

  /** Put the moment into words: not in every frame, and for screen readers only when it stands still. */
  tell(t, isRunning) {
    const now = performance.now();
    if (isRunning && now - this.told < WORDS_EVERY_MS) {
      return;
    }
    this.told = now;
    this.readings.replaceChildren(...readings(this.swarm, t, this.piece));
    set(this.slider, { "aria-valuetext": `${seconds(t)}, ${counted(this.swarm.facts(t).complete, "peer")} complete` });
    if (!isRunning) {
      this.words.textContent = inWords(this.swarm, t);
    }
    if (this.table.open) {
      this.tablePlace.replaceChildren(hostsTable(this.swarm, t));
    }
  }

  key(event) {
    const act = this.actOf(event);
    if (act !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      act();
      event.preventDefault();
    }
  }

  actOf({ key, target }) {
    if (target.tagName === "SELECT" || target.type === "number" || target.classList.contains("scroll")) {
      return undefined;
    }
    const isPressed = target.tagName === "BUTTON" || target.tagName === "SUMMARY" || target.type === "checkbox";
    return {
      " ": isPressed ? undefined : () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(this.clock.t - 1),
      ArrowRight: () => this.seek(this.clock.t + 1),
      Home: () => this.seek(0),
      End: () => this.seek(this.clock.end),
      "-": () => this.shift(-1),
      "+": () => this.shift(1),
    }[key];
  }

  shift(step) {
    this.clock.shift(step);
    this.draw();
  }
}
