// Where hosts are drawn: servers in the middle, peers on a ring around them, group by group. Pure.

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

function polar(middle, distance, angle) {
  return { x: middle + distance * Math.cos(angle), y: middle + distance * Math.sin(angle), angle };
}

/**
 * Return the path of an edge that is wide where it begins and pointed where it ends. It bends to its left, so that the
 * two directions between two hosts do not cover each other.
 */
export function taper(from, to, width, radius) {
  const bend = bent(from, to, radius);
  if (bend === null) {
    return "";
  }
  const { start, middle, end, across } = bend;
  const [half, quarter] = [width / 2, width / 4];
  const side = (point, distance) =>
    `${(point.x + across.x * distance).toFixed(1)} ${(point.y + across.y * distance).toFixed(1)}`;
  return `M${side(start, half)}Q${side(middle, quarter)} ${side(end, 0.3)}L${side(end, -0.3)}Q${side(middle, -quarter)} ${side(start, -half)}Z`;
}

/** Return the path of a line along the same bend. */
export function bow(from, to, radius) {
  const bend = bent(from, to, radius);
  if (bend === null) {
    return "";
  }
  const at = (point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
  return `M${at(bend.start)}Q${at(bend.middle)} ${at(bend.end)}`;
}

function bent(from, to, radius) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  if (length <= 2 * radius) {
    return null;
  }
  const along = { x: dx / length, y: dy / length };
  const across = { x: along.y, y: -along.x };
  const away = radius + 2;
  return {
    start: { x: from.x + along.x * radius, y: from.y + along.y * radius },
    middle: { x: (from.x + to.x) / 2 + across.x * length * 0.12, y: (from.y + to.y) / 2 + across.y * length * 0.12 },
    end: { x: to.x - along.x * away, y: to.y - along.y * away },
    across,
  };
}
