// What a swarm was doing at a time: the data of a replay, asked. Pure.

import { countUntil } from "../times.js";

const SLOT = ["choked", "unchoked", "optimistic"];
const AROUND_SECONDS = 2;

/** A replay's data with the questions that views ask of it. Hosts and links are numbered as in the data. */
export class Swarm {
  constructor(data) {
    this.data = data;
    this.hosts = data.hosts;
    this.links = data.links.map((link) => ({ ...link, rates: rates(link.moved, data) }));
    this.steps = Math.max(1, Math.ceil(data.seconds / data.step));
    this.groups = [...new Set(data.hosts.filter((host) => host.role !== "server").map((host) => host.group))];
    this.fastest = Math.max(
      1,
      quantile(
        this.links.flatMap((link) => [...link.rates].filter((rate) => rate > 0)),
        0.98,
      ),
    );
    this.incoming = this.hosts.map((_, host) => this.links.filter((link) => link.to === host));
    this.outgoing = this.hosts.map((_, host) => this.links.filter((link) => link.from === host));
  }

  /** Whether a host was in the swarm. */
  isPresent(host, t) {
    return this.hosts[host].lives.some(([begin, end]) => begin <= t && t <= end);
  }

  /** Whether it had the whole file by then. */
  isComplete(host, t) {
    const { completed, role } = this.hosts[host];
    return role === "server" || (completed !== null && completed <= t);
  }

  /** The share of the file that it had, from 0 to 1, between the values at the ends of a step. */
  share(host, t) {
    if (this.isComplete(host, t)) {
      return 1;
    }
    const shares = this.hosts[host].shares;
    const at = t / this.data.step;
    const before = Math.min(Math.floor(at), this.steps - 1);
    const [low, high] = [shares[before], shares[before + 1]];
    return (low + (high - low) * Math.min(1, at - before)) / 1000;
  }

  /** The rate of a link in bit/s, between the means of neighbouring steps. */
  rate(link, t) {
    const at = t / this.data.step - 0.5;
    const before = Math.floor(at);
    const [low, high] = [link.rates[Math.max(before, 0)] ?? 0, link.rates[Math.min(before + 1, this.steps - 1)] ?? 0];
    return Math.max(0, low + (high - low) * (at - before));
  }

  /** Whether the giver lets the receiver request: "choked", "unchoked", or "optimistic". */
  slot(link, t) {
    return SLOT[stateAt(link.slots, t)];
  }

  /** Whether the receiver is interested in what the giver has. */
  wants(link, t) {
    return stateAt(link.wants, t) === 1;
  }

  /** Whether a host asks for pieces, and nobody lets it have any. */
  starves(host, t) {
    if (!this.isPresent(host, t) || this.isComplete(host, t)) {
      return false;
    }
    const links = this.incoming[host];
    return links.some((link) => this.wants(link, t)) && links.every((link) => this.slot(link, t) === "choked");
  }

  /** How many pieces a host had completed, of the ones that its trace names. */
  piecesBy(host, t) {
    return countUntil(this.hosts[host].held.times, t);
  }

  /** Whether a host had a piece, as far as its trace says. */
  has(host, piece, t) {
    const { first, pieces } = this.hosts[host].held;
    const place = pieces.indexOf(piece);
    return (first?.includes(piece) ?? false) || (place >= 0 && place < this.piecesBy(host, t));
  }

  /** The number of copies of each piece among the hosts that are there; null if the traces do not say. */
  copies(t) {
    if (this.data.pieces === null) {
      return null;
    }
    const copies = new Uint32Array(this.data.pieces);
    this.hosts.forEach((host, number) => {
      if (this.isPresent(number, t)) {
        host.held.first?.forEach((piece) => copies[piece]++);
        host.held.pieces.slice(0, this.piecesBy(number, t)).forEach((piece) => copies[piece]++);
      }
    });
    return copies;
  }

  /**
   * The share of what peers gave each other that went both ways within two seconds: of each pair, twice the smaller of
   * the two directions. Null while peers give each other nothing.
   */
  givenBack(t) {
    const around = new Map();
    let all = 0;
    for (const link of this.links) {
      if (this.hosts[link.from].role !== "server" && this.hosts[link.to].role !== "server") {
        const bytes = this.movedAround(link, t);
        around.set(`${link.from} ${link.to}`, bytes);
        all += bytes;
      }
    }
    let mutual = 0;
    for (const [pair, bytes] of around) {
      mutual += Math.min(bytes, around.get(pair.split(" ").reverse().join(" ")) ?? 0);
    }
    return all > 0 ? mutual / all : null;
  }

  movedAround(link, t) {
    const reach = Math.max(1, Math.round(AROUND_SECONDS / this.data.step));
    const middle = Math.floor(t / this.data.step);
    let sum = 0;
    for (let step = Math.max(0, middle - reach); step <= Math.min(this.steps - 1, middle + reach); step++) {
      sum += link.rates[step];
    }
    return sum;
  }

  /** What the whole swarm was doing. */
  facts(t) {
    const peers = this.hosts.map((_, host) => host).filter((host) => this.hosts[host].role !== "server");
    const copies = this.copies(t);
    return {
      peers: peers.length,
      present: peers.filter((host) => this.isPresent(host, t)).length,
      complete: peers.filter((host) => this.isComplete(host, t)).length,
      rate: this.links.reduce((sum, link) => sum + this.rate(link, t), 0),
      fromServer: this.links.reduce(
        (sum, link) => sum + (this.hosts[link.from].role === "server" ? this.rate(link, t) : 0),
        0,
      ),
      starving: peers.filter((host) => this.starves(host, t)).length,
      givenBack: this.givenBack(t),
      rarest: copies === null || copies.length === 0 ? null : Math.min(...copies),
    };
  }

  /** A time at which there is something to see: when half of the file is where it should be. */
  middle() {
    const peers = this.hosts.filter((host) => host.role !== "server");
    for (let step = 0; step <= this.steps; step++) {
      if (peers.reduce((sum, host) => sum + host.shares[step], 0) >= 450 * peers.length) {
        return Math.min(this.data.seconds, step * this.data.step);
      }
    }
    return this.data.seconds / 2;
  }
}

/** Return the rate of each step in bit/s, from pairs of a step and its bytes. */
function rates(moved, { seconds, step }) {
  const found = new Float64Array(Math.max(1, Math.ceil(seconds / step)));
  for (let at = 0; at < moved.length; at += 2) {
    found[moved[at]] = (8 * moved[at + 1]) / Math.min(step, Math.max(0.2, seconds - moved[at] * step));
  }
  return found;
}

/** Return the state at a time, from pairs of a time and the state that began then. */
function stateAt(changes, t) {
  let state = 0;
  for (let at = 0; at < changes.length && changes[at] <= t; at += 2) {
    state = changes[at + 1];
  }
  return state;
}

function quantile(values, share) {
  const ordered = values.sort((a, b) => a - b);
  return ordered.length ? ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] : 0;
}
