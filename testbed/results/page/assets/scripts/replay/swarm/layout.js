// Where hosts are drawn: servers in the middle, peers on a ring around them, group by group. Pure.

import { polar } from "../geometry.js";

const LABEL = 13;
const SMALLEST = 3.5;
const LARGEST = 15;

/** Return the place of each host on a square of this size, their radius, and whether names fit beside them. */
export function ring(hosts, groups, size) {
  const peers = groups.flatMap((group) => placesOf(hosts, (host) => host.role !== "server" && host.group === group));
  const servers = placesOf(hosts, (host) => host.role === "server");
  const gaps = groups.length > 1 ? groups.length : 0;
  const places = peers.length + gaps;
  const longest = Math.max(0, ...peers.map((peer) => hosts[peer].name.length));
  const margin = Math.min(size * 0.16, 10 + 6.2 * longest);
  const around = size / 2 - margin - LARGEST * 0.6;
  const room = (2 * Math.PI * around) / Math.max(1, places);
  const radius = Math.max(SMALLEST, Math.min(LARGEST, room * 0.36));
  const points = new Array(hosts.length);
  let slot = 0;
  peers.forEach((peer, number) => {
    if (gaps && number > 0 && hosts[peer].group !== hosts[peers[number - 1]].group) {
      slot++;
    }
    points[peer] = polar(size / 2, around, (2 * Math.PI * slot) / Math.max(1, places) - Math.PI / 2);
    slot++;
  });
  const inner = servers.length > 1 ? around * 0.22 : 0;
  servers.forEach((server, number) => {
    points[server] = polar(size / 2, inner, (2 * Math.PI * number) / servers.length);
  });
  return { points, radius, hasNames: room >= LABEL };
}

function placesOf(hosts, belongs) {
  return hosts.map((_, place) => place).filter((place) => belongs(hosts[place]));
}
