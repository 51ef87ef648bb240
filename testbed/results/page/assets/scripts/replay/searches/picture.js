// A search as nodes and lines: who has been asked, what is on its way, and where it went.

import { s, set } from "../../dom.js";
import { besides, bow, onBow } from "../geometry.js";
import { shape } from "../shapes.js";
import { countUntil } from "../times.js";
import { circles, keyPoint } from "./layout.js";
import { lookOf, mark, styleOf } from "./marks.js";

const MOST_DOTS = 300;
const FEW_TRAILS = 24;
const KEY_OUTSIDE = 1.75;

/** Draws a search at a time. `choose` is called with a host that is clicked. */
export class Picture {
  constructor(searches, choose) {
    this.searches = searches;
    this.links = s("path", { class: "known" });
    this.questions = s("g");
    this.answers = s("g");
    this.dots = s("g");
    this.nodes = s("g");
    this.key = s("g", { class: "key" });
    this.element = s(
      "svg",
      { role: "img" },
      s("title", {}, "The overlay: nodes, whom they know, and the messages of a search"),
      this.links,
      this.questions,
      this.answers,
      this.nodes,
      this.key,
      this.dots,
    );
    this.hosts = searches.hosts.map((host, number) => this.node(host, number, choose));
    this.nodes.append(...this.hosts.map((node) => node.group));
    this.size = 560;
  }

  node(host, number, choose) {
    const parts = {
      look: lookOf(host, this.searches.groups),
      outline: s("path", { class: "outline" }),
      asked: s("path", { class: "asked" }),
      has: s("circle", { class: "has" }),
      asks: s("circle", { class: "asks" }),
      name: s("text", { "dominant-baseline": "central" }, host.name),
    };
    parts.group = s(
      "g",
      { class: `node group-${parts.look}`, click: () => choose(number) },
      s("title", {}, `${host.name}, ${host.group}`),
      parts.outline,
      parts.asked,
      parts.has,
      parts.asks,
      parts.name,
    );
    return parts;
  }

  /** Show another search, or the same one at another size. */
  show(search, size) {
    this.search = search;
    this.size = size;
    set(this.element, { viewBox: `0 0 ${size} ${size}` });
    this.layout = circles(
      search.order,
      search.order.outer.map((host) => this.searches.hosts[host].name),
      size,
    );
    const { points, radius } = this.layout;
    this.hosts.forEach((node, number) => this.place(node, number, points[number]));
    set(this.links, { d: search.links.map(([one, other]) => line(points[one], points[other])).join("") });
    this.trails = search.trails.map((trail) =>
      s("path", {
        class: `trail ${styleOf(trail)}`,
        d: bow(points[trail.from], points[trail.to], radius),
        visibility: "hidden",
      }),
    );
    this.firsts = search.trails.map((trail) => trail.sent);
    this.drawn = 0;
    this.chosen = null;
    const ways = (isAnswer) => this.trails.filter((_, at) => search.trails[at].isAnswer === isAnswer);
    this.questions.replaceChildren(...ways(false));
    this.answers.replaceChildren(...ways(true));
    /* A flood has fainter lines, or its messages on the way could not be seen. */
    const opacity = Math.max(0.45, Math.min(1, Math.sqrt(FEW_TRAILS / Math.max(1, this.trails.length))));
    set(this.questions, { opacity: opacity.toFixed(2) });
    this.placeKey();
  }

  place(node, number, point) {
    const radius = node.look === "server" ? this.layout.radius * 1.25 : this.layout.radius;
    const isInside = !this.search.order.outer.includes(number);
    set(node.group, { transform: `translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})` });
    set(node.outline, { d: shape(node.look, radius) });
    set(node.asked, { d: shape(node.look, radius) });
    set(node.has, { r: (radius * 0.42).toFixed(1) });
    set(node.asks, { r: (radius + 4).toFixed(1) });
    set(node.name, besides(point, radius, isInside));
    node.isInside = isInside;
  }

  /** Put the mark of the key where it lies among the identifiers. */
  placeKey() {
    const { key } = this.search.about;
    const places = this.search.order.outer.map((host) => this.search.placeOf(host)).filter((place) => place !== null);
    if (key === null || places.length < 2) {
      this.key.replaceChildren();
      return;
    }
    const { x, y, angle } = keyPoint(key, places, this.search.order.outer.length, this.layout.around, this.size);
    const away = this.layout.radius * KEY_OUTSIDE;
    const turn = (angle * 180) / Math.PI;
    this.key.replaceChildren(
      s("title", {}, "the key: what is asked for, among the identifiers"),
      s("path", {
        d: `M${-away} 0L${away} 0`,
        transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${turn.toFixed(1)})`,
      }),
    );
  }

  /** Draw a time. `chosen` is a host to look at, null for all. */
  draw(t, chosen) {
    if (chosen !== this.chosen) {
      this.chosen = chosen;
      this.trails.forEach((path, at) => path.classList.toggle("faded", isAside(this.search.trails[at], chosen)));
    }
    this.hosts.forEach((node, number) => this.drawNode(node, number, t, chosen));
    this.drawTrails(t);
    this.drawDots(t, chosen);
  }

  drawNode(node, number, t, chosen) {
    const { search } = this;
    const { classList } = node.group;
    classList.toggle("absent", !search.isPresent(number, t));
    classList.toggle("was-asked", search.isAsked(number, t));
    classList.toggle("holds", search.about.holders.includes(number));
    classList.toggle("found", search.isFound(number, t));
    classList.toggle("asking", number === search.node);
    classList.toggle("chosen", number === chosen);
    const isNamed = this.layout.hasNames || node.isInside || number === search.node || number === chosen;
    set(node.name, { display: isNamed ? false : "none" });
  }

  drawTrails(t) {
    const count = countUntil(this.firsts, t);
    const [low, high] = [Math.min(count, this.drawn), Math.max(count, this.drawn)];
    for (let at = low; at < high; at++) {
      set(this.trails[at], { visibility: at < count ? false : "hidden" });
    }
    this.drawn = count;
  }

  drawDots(t, chosen) {
    const { points, radius } = this.layout;
    const size = Math.max(2.5, Math.min(5, radius * 0.5));
    const shown = this.search
      .underWay(t)
      .filter((message) => !isAside(message, chosen))
      .slice(0, MOST_DOTS);
    while (this.dots.childElementCount < shown.length) {
      this.dots.append(s("path"));
    }
    [...this.dots.children].forEach((dot, number) => {
      const message = shown[number];
      const at = message && onBow(points[message.from], points[message.to], radius, wayOf(message, t));
      set(dot, at ? { class: `dot ${styleOf(message)}`, d: mark(message, at, size) } : { class: "dot", d: false });
    });
  }
}

/** Return how far a message is, from 0 to 1. */
function wayOf({ sent, came }, t) {
  return (t - sent) / Math.max(1e-9, came - sent);
}

function line(from, to) {
  return `M${from.x.toFixed(1)} ${from.y.toFixed(1)}L${to.x.toFixed(1)} ${to.y.toFixed(1)}`;
}

function isAside({ from, to }, chosen) {
  return chosen !== null && from !== chosen && to !== chosen;
}
