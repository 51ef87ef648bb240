// What was known, asked and answered at a time: the data of a replay of searches, asked. Pure.

import { countUntil } from "../times.js";

const TICKS = 10_000;
const JUDGEMENTS = ["right", "stale", "wrong"];
const MOST_LINKS = 600;
const SHORTEST = 0.001;
const MIDDLE = 0;
const INNER = 1;

/** The searches of a trial, and the hosts between which they went. Hosts are numbered as in the data. */
export class Searches {
  constructor(data) {
    this.data = data;
    this.hosts = data.hosts;
    this.groups = [...new Set(data.hosts.filter((host) => host.tier !== MIDDLE).map((host) => host.group))];
    this.all = data.searches.map((search) => new Search(search, data));
  }

  /** The search to begin with: the first that was answered rightly, or else the first. */
  first() {
    return Math.max(
      0,
      this.all.findIndex((search) => search.right.length > 0),
    );
  }
}

/** One search. Times are seconds after it began. */
export class Search {
  constructor(about, data) {
    this.about = about;
    this.data = data;
    this.node = about.node;
    this.messages = about.sent.map((sent, number) => ({
      sent: Math.max(0, sent / TICKS),
      came: Math.max(0, about.came[number] / TICKS),
      from: about.from[number],
      to: about.to[number],
      kind: data.kinds[about.what[number]],
      isAnswer: data.answering.includes(about.what[number]),
    }));
    this.messages.sort((a, b) => a.sent - b.sent);
    this.answers = about.answers.map(([t, holder, judgement]) => ({
      t: t / TICKS,
      holder,
      judgement: JUDGEMENTS[judgement],
    }));
    this.right = firstOfEach(this.answers.filter(({ judgement }) => judgement === "right"));
    this.foundAt = new Map(this.right.map(({ holder, t }) => [holder, t]));
    this.sent = this.messages.map((message) => message.sent);
    this.came = this.messages.map((message) => message.came).sort((a, b) => a - b);
    this.longest = Math.max(0, ...this.messages.map((message) => message.came - message.sent));
    const questions = this.messages.filter((message) => !message.isAnswer);
    this.asked = firstOfEach(
      questions.map(({ to, came }) => ({ to, t: came })),
      "to",
    );
    this.askedAt = new Map([...this.asked.map(({ to, t }) => [to, t]), [about.node, 0]]);
    this.took = about.took === null ? null : about.took / TICKS;
    const last = Math.max(this.came.at(-1) ?? 0, this.answers.at(-1)?.t ?? 0);
    this.end = Math.max(SHORTEST, last || this.took || 0);
    this.trails = trailsOf(this.messages);
    this.links = this.linksShown();
    this.order = orderOf(this);
  }

  /** Whether a host took part at a time. */
  isPresent(host, t) {
    const now = this.about.began + t;
    return this.data.hosts[host].lives.some(([begin, end]) => begin <= now && now <= end);
  }

  /** Whether a question had come to a host; the one that asks was asked from the beginning. */
  isAsked(host, t) {
    return this.askedAt.has(host) && this.askedAt.get(host) <= t;
  }

  /** Whether a right answer had named a host. */
  isFound(host, t) {
    return this.foundAt.has(host) && this.foundAt.get(host) <= t;
  }

  /** The messages that are on their way. */
  underWay(t) {
    const found = [];
    for (let at = countUntil(this.sent, t) - 1; at >= 0 && this.sent[at] >= t - this.longest; at--) {
      if (this.messages[at].came > t) {
        found.push(this.messages[at]);
      }
    }
    return found;
  }

  /** What had happened by a time. */
  facts(t) {
    const count = countUntil(this.sent, t);
    return {
      sent: count,
      answering: this.messages.slice(0, count).filter((message) => message.isAnswer).length,
      underWay: count - countUntil(this.came, t),
      asked: this.asked.filter((each) => each.t <= t && each.to !== this.node).length,
      present: this.data.hosts.filter((_, host) => this.isPresent(host, t)).length,
      right: this.right.filter((answer) => answer.t <= t).length,
      amiss: this.answers.filter((answer) => answer.t <= t && answer.judgement !== "right").length,
    };
  }

  /** The links that were there when it began; if they are many, those of hosts that had to do with it. */
  linksShown() {
    const { links } = this.data;
    const found = [];
    for (let at = 0; at < links.length; at += 4) {
      if (links[at + 2] <= this.about.began && this.about.began <= links[at + 3]) {
        found.push([links[at], links[at + 1]]);
      }
    }
    if (found.length <= MOST_LINKS) {
      return found;
    }
    const used = new Set(this.trails.map(({ from, to }) => pair(from, to)));
    return found.filter(([one, other]) => one === this.node || other === this.node || used.has(pair(one, other)));
  }

  /** Where a host's identifier was when the search began, from 0 to 1; null if identifiers mean nothing here. */
  placeOf(host) {
    const { lives } = this.data.hosts[host];
    const life = lives.find(([, end]) => this.about.began <= end) ?? lives.at(-1);
    return life?.[2] ?? null;
  }
}

/** Return who is in the middle, on an inner circle and on the outer one, in the order in which they stand there. */
function orderOf(search) {
  const hosts = search.data.hosts.map((_, host) => host);
  const of = (belongs) => hosts.filter((host) => belongs(search.data.hosts[host].tier));
  const middle = of((tier) => tier === MIDDLE);
  const inner = of((tier) => tier === INNER);
  const outer = of((tier) => tier > INNER);
  if (outer.length === 0) {
    return { middle, inner: [], outer: inner };
  }
  if (hosts.some((host) => search.placeOf(host) !== null)) {
    return { middle, inner, outer: outer.sort((a, b) => (search.placeOf(a) ?? 2) - (search.placeOf(b) ?? 2)) };
  }
  return { middle, inner, outer: inner.length ? besideInner(outer, inner, search.links) : outer };
}

/** Return hosts of the outer circle, each near those of the inner one to which it has links. */
function besideInner(outer, inner, links) {
  const towards = new Map(outer.map((host) => [host, { x: 0, y: 0 }]));
  for (const [one, other] of links) {
    for (const [host, at] of [
      [one, inner.indexOf(other)],
      [other, inner.indexOf(one)],
    ]) {
      if (at >= 0 && towards.has(host)) {
        const angle = (2 * Math.PI * at) / inner.length;
        towards.get(host).x += Math.cos(angle);
        towards.get(host).y += Math.sin(angle);
      }
    }
  }
  const turn = (host) => {
    const { x, y } = towards.get(host);
    return (Math.atan2(y, x) + 2 * Math.PI) % (2 * Math.PI);
  };
  return [...outer].sort((a, b) => turn(a) - turn(b) || a - b);
}

/** Return which hosts sent to which, each once for questions and once for answers, in the order of the first message. */
function trailsOf(messages) {
  const found = new Map();
  for (const { from, to, isAnswer, sent } of messages) {
    const name = `${from} ${to} ${isAnswer}`;
    if (!found.has(name)) {
      found.set(name, { from, to, isAnswer, sent });
    }
  }
  return [...found.values()];
}

function firstOfEach(events, key = "holder") {
  const found = new Map();
  for (const event of [...events].sort((a, b) => a.t - b.t)) {
    if (!found.has(event[key])) {
      found.set(event[key], event);
    }
  }
  return [...found.values()];
}

function pair(one, other) {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
