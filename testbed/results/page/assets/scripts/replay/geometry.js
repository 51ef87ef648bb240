// Points, bends and labels of pictures in which hosts stand on circles. Pure.

/** Return a point at a distance from the middle of a square, clockwise from the right. */
export function polar(middle, distance, angle) {
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

/** Return a point on the same bend, and on its way from 0 to 1; null if the two are too near to each other. */
export function onBow(from, to, radius, way) {
  const bend = bent(from, to, radius);
  if (bend === null) {
    return null;
  }
  const [a, b, c] = [(1 - way) ** 2, 2 * way * (1 - way), way ** 2];
  return {
    x: a * bend.start.x + b * bend.middle.x + c * bend.end.x,
    y: a * bend.start.y + b * bend.middle.y + c * bend.end.y,
  };
}

/** Return where the name of a host stands: beside it and away from the middle, or below it if it is inside. */
export function besides(point, radius, isInside) {
  const isLeft = !isInside && Math.cos(point.angle) < -0.01;
  const away = radius + 8;
  return {
    x: isInside ? 0 : away * Math.cos(point.angle),
    y: isInside ? radius + 11 : away * Math.sin(point.angle),
    "text-anchor": isInside || Math.abs(Math.cos(point.angle)) < 0.1 ? "middle" : isLeft ? "end" : "start",
  };
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
