// What hosts and messages look like in a replay of searches. Pure.

import { LOOKS } from "../shapes.js";

const MIDDLE = 0;

/** Return the look of a host: of its group's place among all groups; a directory looks like a server. */
export function lookOf(host, groups) {
  return host.tier === MIDDLE ? "server" : groups.indexOf(host.group) % LOOKS;
}

/** Return the style of a message or of its way. */
export function styleOf({ isAnswer }) {
  return isAnswer ? "answer" : "question";
}

/** Return the outline of a message on its way: a circle for a question, a square for an answer. */
export function mark({ isAnswer }, { x, y }, size) {
  return isAnswer
    ? `M${(x - size).toFixed(1)} ${(y - size).toFixed(1)}h${2 * size}v${2 * size}h${-2 * size}Z`
    : `M${(x - size).toFixed(1)} ${y.toFixed(1)}a${size} ${size} 0 1 1 ${2 * size} 0a${size} ${size} 0 1 1 ${-2 * size} 0Z`;
}
