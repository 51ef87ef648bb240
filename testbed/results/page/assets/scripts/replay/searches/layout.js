// Where hosts are drawn: on an outer circle, an inner one, and in the middle. Pure.

import { polar } from "../geometry.js";

const LABEL = 13;
const SMALLEST = 3.5;
const LARGEST = 13;
const INNER_SHARE = 0.46;
const MIDDLE_SHARE = 0.18;
const TOP = -Math.PI / 2;

/** Return the place of each host on a square of this size, their radius, and whether names fit beside them. */
export function circles({ middle, inner, outer }, names, size) {
  const longest = Math.max(0, ...names.map((name) => name.length));
  const margin = Math.min(size * 0.16, 10 + 6.2 * longest);
  const around = size / 2 - margin - LARGEST;
  const room = Math.min(...[outer, inner].map((hosts, place) => roomOf(hosts, place ? around * INNER_SHARE : around)));
  const points = [];
  const place = (hosts, distance) =>
    hosts.forEach((host, number) => {
      points[host] = polar(size / 2, distance, TOP + turnOf(number, hosts.length));
    });
  place(outer, around);
  place(inner, around * INNER_SHARE);
  place(middle, middle.length > 1 ? around * MIDDLE_SHARE : 0);
  return {
    points,
    around,
    radius: Math.max(SMALLEST, Math.min(LARGEST, room * 0.34)),
    hasNames: roomOf(outer, around) >= LABEL,
  };
}

/**
 * Return where a key stands on the outer circle: half-way between the hosts before and after it. `places` are those of
 * the hosts' identifiers, ascending; `count` is how many hosts are there, of which the last may have none.
 */
export function keyPoint(key, places, count, around, size) {
  const before = places.findLastIndex((place) => place < key);
  const isInGap = before < 0 || before === places.length - 1;
  const turn = isInGap ? (places.length - 1 + count) / 2 : before + 0.5;
  return polar(size / 2, around, TOP + turnOf(turn, count));
}

function turnOf(number, count) {
  return (2 * Math.PI * number) / Math.max(1, count);
}

function roomOf(hosts, distance) {
  return hosts.length ? (2 * Math.PI * distance) / hosts.length : Number.POSITIVE_INFINITY;
}
