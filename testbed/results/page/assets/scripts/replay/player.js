// A replay with its controls: play, slider, speed, keys, and the moment in words. What is shown, a view knows.

import { h, set } from "../dom.js";
import { Clock } from "./clock.js";
import { keys } from "./keys.js";
import { SearchesView } from "./searches/view.js";
import { SwarmView } from "./swarm/view.js";

const WORDS_EVERY_MS = 500;
const VIEWS = { swarm: SwarmView, searches: SearchesView };

/**
 * Shows one replay in a place of the page. Its view has pictures (`bar`, `chart`, `stage`, `aside`), draws a time, and
 * says what it shows; it calls `draw`, `seek` and `restart` when somebody chose what to look at.
 */
export class Player {
  constructor(data) {
    this.view = new VIEWS[data.kind](data, this);
    this.told = 0;
    this.build();
    this.restart();
    this.watch();
  }

  build() {
    this.play = h("button", { type: "button", class: "play", click: () => this.toggle() });
    this.slider = h("input", {
      type: "range",
      min: 0,
      "aria-label": "time",
      input: () => this.seek(Number(this.slider.value)),
    });
    this.time = h("output");
    this.speed = h(
      "select",
      { change: () => this.setSpeed(Number(this.speed.value)) },
      this.view.speeds.map((speed) => h("option", { value: speed }, `${speed}×`)),
    );
    this.readings = h("dl", { class: "readings" });
    this.words = h("p", { class: "hidden", role: "status" });
    this.table = h("details", { toggle: () => this.draw() }, h("summary", {}, "This moment as a table"));
    this.tablePlace = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "this moment" });
    this.table.append(h("p", { class: "small soft" }, this.view.tableNote), this.tablePlace);
    this.stage = h("div", { class: "swarm" }, this.view.stage);
    this.chart = h("div", { class: "progress" });
    this.element = h(
      "div",
      { class: "replay", role: "group", "aria-label": "replay", keydown: (event) => this.key(event) },
      h("div", { class: "whole replay-bar" }, this.view.bar),
      h(
        "div",
        { class: "whole" },
        this.chart,
        h("div", { class: "seek" }, this.slider),
        h("div", { class: "controls" }, this.play, this.time, h("label", { class: "choice" }, "Speed", this.speed)),
      ),
      this.stage,
      h("div", {}, this.readings, this.view.aside),
      h("div", { class: "whole" }, this.words, this.table, keys(this.view.stepName)),
    );
  }

  /** Begin anew with what the view shows now. */
  restart() {
    const { end, start, speeds, whole, finest } = this.view;
    this.clock = new Clock(end, start, speeds, whole);
    set(this.slider, { max: end, step: finest });
    this.chart.replaceChildren(this.view.chart.picture);
    this.resize();
  }

  resize() {
    this.view.resize(
      Math.max(280, Math.min(620, this.stage.clientWidth || 560)),
      Math.max(280, this.chart.clientWidth || 800),
    );
    this.draw();
  }

  watch() {
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.observer.observe(this.chart);
    this.onTheme = () => {
      this.view.recolour();
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

  draw() {
    const { t, isRunning, speed } = this.clock;
    this.view.draw(t);
    this.slider.value = t;
    this.time.textContent = this.view.timeText(t);
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
    this.readings.replaceChildren(...this.view.readings(t));
    set(this.slider, { "aria-valuetext": this.view.inShort(t) });
    if (!isRunning) {
      this.words.textContent = this.view.inWords(t);
    }
    if (this.table.open) {
      this.tablePlace.replaceChildren(this.view.momentTable(t));
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
      ArrowLeft: () => this.seek(this.clock.t - this.view.step),
      ArrowRight: () => this.seek(this.clock.t + this.view.step),
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
