// What a replay of searches shows: one search at a time, and the way of its messages through the overlay.

import { h } from "../../dom.js";
import { niceStep } from "../chart.js";
import { Count } from "./count.js";
import { Picture } from "./picture.js";
import { Searches } from "./searches.js";
import { inWords, legend, meaning, messagesTable, readings, result, shortTime, summary, title } from "./words.js";

const SPEEDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const WHOLE_SECONDS = 12;
const STEPS = 40;

/** The view of searches, for a player. */
export class SearchesView {
  constructor(data, player) {
    this.searches = new Searches(data);
    this.player = player;
    this.chosen = null;
    this.picture = new Picture(this.searches, (host) => this.choose(host === this.chosen ? null : host));
    this.stepName = "a step";
    this.speeds = SPEEDS;
    this.whole = WHOLE_SECONDS;
    this.tableNote = "The messages that had been sent, the last one first.";
    this.stageSize = 560;
    this.build();
    this.show(this.searches.first());
  }

  build() {
    this.which = h("select", { class: "long", change: () => this.open(Number(this.which.value)) }, this.menu());
    this.who = h(
      "select",
      { change: () => this.choose(this.who.value === "" ? null : Number(this.who.value)) },
      h("option", { value: "" }, "everyone"),
      this.searches.hosts.map((host, number) => h("option", { value: number }, host.name)),
    );
    this.facts = h("dl", { class: "facts" });
    this.bar = [
      h("label", { class: "choice" }, "Search", this.which),
      h("label", { class: "choice" }, "Look at", this.who),
    ];
    this.stage = [this.picture.element, legend(this.searches)];
    this.aside = [this.facts, meaning()];
  }

  menu() {
    const options = this.searches.all.map((search, number) => ({
      isRight: search.right.length > 0,
      option: h("option", { value: number }, title(search)),
    }));
    return [true, false]
      .map((isRight) => [
        isRight ? "answered rightly" : "without a right answer",
        options.filter((each) => each.isRight === isRight).map(({ option }) => option),
      ])
      .filter(([, found]) => found.length)
      .map(([label, found]) => h("optgroup", { label }, found));
  }

  /** Take another search, and tell the player. */
  open(number) {
    this.show(number);
    this.player.restart();
  }

  show(number) {
    this.search = this.searches.all[number];
    this.which.value = number;
    this.end = this.search.end;
    this.start = this.end;
    this.step = niceStep(this.end, STEPS);
    this.finest = "any";
    this.chart = new Count(this.search, shortTime, (t) => this.player.seek(t));
    this.facts.replaceChildren(...summary(this.search));
    this.picture.show(this.search, this.stageSize);
  }

  choose(host) {
    this.chosen = host;
    this.who.value = host ?? "";
    this.player.draw();
  }

  resize(stage, chart) {
    this.stageSize = stage;
    this.picture.show(this.search, stage);
    this.chart.resize(chart);
  }

  recolour() {}

  draw(t) {
    this.picture.draw(t, this.chosen);
    this.chart.draw(t);
  }

  timeText(t) {
    return `${shortTime(t)} of ${shortTime(this.end)}`;
  }

  readings(t) {
    return readings(this.search, t);
  }

  inShort(t) {
    return `${shortTime(t)}, ${readingOf(this.search, t)}`;
  }

  inWords(t) {
    return inWords(this.search, t);
  }

  momentTable(t) {
    return messagesTable(this.search, t);
  }
}

function readingOf(search, t) {
  const { sent, right } = search.facts(t);
  return t >= search.end ? result(search) : `${sent} messages sent, ${right} holders found`;
}
