// The swarm as nodes and edges: who gives to whom, and how fast.

import { s, set } from "../../dom.js";
import { besides, bow, taper } from "../geometry.js";
import { lookOf, shape } from "../shapes.js";
import { ring } from "./layout.js";

const WIDEST = 11;
const LEAST_SHARE = 0.01;
const MOST_EDGES = 400;
const FEW_HOSTS = 24;
let made = 0;

/** Draws the swarm at a time. `choose` is called with a host that is clicked. */
export class Ring {
  constructor(swarm, choose) {
    this.swarm = swarm;
    this.id = `ring-${++made}`;
    this.edges = s("g");
    this.nodes = s("g");
    this.paths = new Map();
    this.slots = new Map();
    this.picture = s(
      "svg",
      { role: "img" },
      s("title", {}, "The swarm: hosts, and what they give each other"),
      this.edges,
      this.nodes,
    );
    this.hosts = swarm.hosts.map((host, number) => this.node(host, number, choose));
    this.nodes.append(...this.hosts.map((node) => node.group));
    /* A crowd has thinner edges, or nothing else could be seen. */
    this.thin = Math.min(1, Math.sqrt(FEW_HOSTS / swarm.hosts.length));
    this.resize(560);
  }

  node(host, number, choose) {
    const look = lookOf(host, this.swarm.groups);
    const clip = `${this.id}-${number}`;
    const rect = s("rect");
    const parts = {
      look,
      rect,
      outline: s("path", { class: "outline" }),
      level: s("path", { class: "level", "clip-path": `url(#${clip})` }),
      starving: s("circle", { class: "starving" }),
      name: s("text", { "dominant-baseline": "central" }, host.name),
    };
    parts.group = s(
      "g",
      { class: `node group-${look}`, click: () => choose(number) },
      s("title", {}, `${host.name}, ${host.group}`),
      s("clipPath", { id: clip }, rect),
      parts.outline,
      parts.level,
      parts.starving,
      parts.name,
    );
    return parts;
  }

  resize(size) {
    this.size = size;
    this.layout = ring(this.swarm.hosts, this.swarm.groups, size);
    set(this.picture, { viewBox: `0 0 ${size} ${size}` });
    this.hosts.forEach((node, number) => this.place(node, this.layout.points[number]));
    this.paths.forEach((path) => path.remove());
    this.paths.clear();
    this.slots.forEach((path) => path.remove());
    this.slots.clear();
  }

  place(node, point) {
    const radius = node.look === "server" ? Math.min(15, this.layout.radius * 1.25) : this.layout.radius;
    const reach = radius * 1.3;
    node.radius = radius;
    set(node.group, { transform: `translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})` });
    set(node.outline, { d: shape(node.look, radius) });
    set(node.level, { d: shape(node.look, radius) });
    set(node.starving, { r: radius + 4.5 });
    set(node.rect, { x: -reach, width: 2 * reach, y: reach, height: 0 });
    set(node.name, besides(point, radius, node.look === "server"));
  }

  /**
   * Draw a time. `chosen` is a set of hosts to look at, empty for all; `showsSlots` says whether slots without traffic
   * are drawn; with a `piece` that is not null, nodes are filled if they have it.
   */
  draw(t, { chosen, showsSlots, piece }) {
    this.hosts.forEach((node, number) => this.drawNode(node, number, t, chosen, piece));
    const flowing = this.swarm.links
      .map((link, number) => ({ link, number, rate: this.swarm.rate(link, t) }))
      .filter(({ rate }) => rate > LEAST_SHARE * this.swarm.fastest)
      .sort((a, b) => b.rate - a.rate)
      .slice(0, MOST_EDGES);
    const drawn = new Set(flowing.map(({ number }) => number));
    flowing.forEach(({ link, number, rate }) => this.drawEdge(link, number, rate, chosen));
    this.paths.forEach((path, number) => set(path, { display: drawn.has(number) ? false : "none" }));
    this.drawSlots(t, chosen, showsSlots);
  }

  drawNode(node, number, t, chosen, piece) {
    const isPresent = this.swarm.isPresent(number, t);
    const reach = node.radius * 1.3;
    const share = piece === null ? this.swarm.share(number, t) : Number(this.swarm.has(number, piece, t));
    const height = 2 * reach * share;
    set(node.rect, { y: (reach - height).toFixed(1), height: height.toFixed(1) });
    const isChosen = chosen.has(number);
    node.group.classList.toggle("absent", !isPresent);
    node.group.classList.toggle("starves", this.swarm.starves(number, t));
    node.group.classList.toggle("chosen", isChosen);
    set(node.name, { display: this.layout.hasNames || isChosen || node.look === "server" ? false : "none" });
  }

  drawEdge(link, number, rate, chosen) {
    const { points } = this.layout;
    const path = this.pathOf(this.paths, number, `edge group-${this.hosts[link.from].look}`);
    const share = rate / this.swarm.fastest;
    const width = Math.max(0.8, Math.min(1.6, share) * WIDEST * this.thin * (this.size / 560));
    const opacity = (0.25 + 0.45 * Math.min(1, share)) * this.thin;
    set(path, { d: taper(points[link.from], points[link.to], width, this.layout.radius), opacity: opacity.toFixed(2) });
    path.classList.toggle("faded", isAside(link, chosen));
  }

  drawSlots(t, chosen, showsSlots) {
    const { points, radius } = this.layout;
    this.swarm.links.forEach((link, number) => {
      const slot = this.swarm.slot(link, t);
      const isShown = slot !== "choked" && !isAside(link, chosen) && (showsSlots || chosen.size > 0);
      if (isShown || this.slots.has(number)) {
        const path = this.pathOf(this.slots, number, `slot group-${this.hosts[link.from].look}`);
        set(path, {
          display: isShown ? false : "none",
          d: path.getAttribute("d") ?? bow(points[link.from], points[link.to], radius),
        });
        path.classList.toggle("optimistic", slot === "optimistic");
      }
    });
  }

  pathOf(paths, number, style) {
    if (!paths.has(number)) {
      const path = s("path", { class: style });
      paths.set(number, path);
      this.edges.append(path);
    }
    return paths.get(number);
  }
}

function isAside(link, chosen) {
  return chosen.size > 0 && !chosen.has(link.from) && !chosen.has(link.to);
}
