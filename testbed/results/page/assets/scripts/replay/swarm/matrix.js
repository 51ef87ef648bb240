// The pieces of each host: a row for a host, a column for a piece. Without pieces in the traces, a row fills by bytes.

import { h } from "../../dom.js";
import { lookOf } from "../shapes.js";

const BY_BYTES = 240;
const FRESH_SECONDS = 1;
const ASIDE = 0.3;

/** Draws the rows at a time, on a canvas with a pixel for a piece. `choose` is called with a piece that is clicked. */
export class Matrix {
  constructor(swarm, choose) {
    this.swarm = swarm;
    this.piece = null;
    this.order = rowsOf(swarm);
    this.columns = swarm.data.pieces ?? BY_BYTES;
    this.row = Math.max(3, Math.min(12, Math.floor(430 / this.order.length)));
    this.canvas = h("canvas", {
      role: "img",
      "aria-label": "The pieces that each host has",
      width: this.columns,
      height: this.order.length,
      click: (event) => choose(Math.floor((event.offsetX / this.canvas.clientWidth) * this.columns)),
    });
    this.canvas.style.height = `${this.row * this.order.length}px`;
    this.names = this.order.map((host) => h("div", {}, host === null || this.row < 10 ? "" : swarm.hosts[host].name));
    this.names.forEach((name) => {
      name.style.height = name.style.lineHeight = `${this.row}px`;
    });
    this.element = h(
      "div",
      { class: "matrix" },
      h("div", { class: "names", "aria-hidden": "true" }, this.names),
      this.canvas,
    );
    this.recolour();
  }

  /** Read the colours of the theme. */
  recolour() {
    const groups = [...this.swarm.groups.map((_, number) => `--group-${number % 8}`), "--group-server"];
    this.colours = new Map(groups.map((name) => [name, colourOf(name)]));
    [this.empty, this.ink, this.paper] = ["--line", "--ink", "--paper"].map(colourOf);
  }

  /** Draw a time, with a piece in front of the others if it is not null. */
  draw(t, { chosen, piece }) {
    this.piece = piece;
    const image = new ImageData(this.columns, this.order.length);
    this.pixels = new Uint32Array(image.data.buffer);
    this.order.forEach((host, row) => {
      if (host !== null && this.swarm.isPresent(host, t)) {
        this.drawRow(host, row * this.columns, t);
      }
      this.names[row].classList.toggle("chosen", chosen.has(host));
    });
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  drawRow(host, start, t) {
    const { paper, empty } = this;
    const colour = this.colours.get(`--group-${lookOf(this.swarm.hosts[host], this.swarm.groups)}`) ?? this.ink;
    this.pixels.fill(mixed(empty, paper, 0.6), start, start + this.columns);
    const { held } = this.swarm.hosts[host];
    if (held === undefined || (held.first === null && held.pieces.length === 0)) {
      this.pixels.fill(packed(colour), start, start + Math.round(this.columns * this.swarm.share(host, t)));
      return;
    }
    held.first?.forEach((piece) => this.put(start, piece, colour));
    const count = this.swarm.piecesBy(host, t);
    for (let number = 0; number < count; number++) {
      const isFresh = held.times[number] > t - FRESH_SECONDS;
      this.put(start, held.pieces[number], isFresh ? this.ink : colour);
    }
  }

  put(start, piece, colour) {
    if (piece < this.columns) {
      const isAside = this.piece !== null && this.piece !== piece;
      this.pixels[start + piece] = isAside ? mixed(colour, this.paper, ASIDE) : packed(colour);
    }
  }

  /** Say what the rows show. */
  caption() {
    return this.swarm.data.pieces === null
      ? "Rows fill by the share of the file's bytes. Traces of the level “pieces” would also say which pieces."
      : `A column for each of ${this.swarm.data.pieces} pieces. Those of the last second are darkest (lightest in the dark). Click one to follow it.`;
  }
}

/** Return the hosts in the order of the rows, with an empty row (null) between groups. */
function rowsOf(swarm) {
  const places = swarm.hosts.map((_, host) => host);
  const servers = places.filter((host) => swarm.hosts[host].role === "server");
  const groups = swarm.groups.map((group) =>
    places.filter((host) => swarm.hosts[host].role !== "server" && swarm.hosts[host].group === group),
  );
  return [servers, ...groups]
    .filter((group) => group.length)
    .flatMap((group, number) => (number ? [null, ...group] : group));
}

/** Return the red, green and blue of a colour of the style sheet. */
function colourOf(name) {
  const probe = h("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);
  probe.remove();
  return colour;
}

function packed([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

function mixed(one, other, share) {
  return packed(one.map((value, place) => Math.round(value * share + other[place] * (1 - share))));
}
