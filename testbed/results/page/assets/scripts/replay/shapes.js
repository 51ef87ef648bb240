// The shape of each group, so that groups are told apart without colours. Pure.

const CORNERS = [null, 4, 3, 6, 5, 8, 3, 4];
const TURNS = [0, 45, 0, 0, 0, 22.5, 180, 0];

/** The number of looks that groups can have before they repeat. */
export const LOOKS = CORNERS.length;

/** Return the path of a group's shape around (0, 0); the server's is a square. */
export function shape(look, radius) {
  const corners = look === "server" ? 4 : CORNERS[look % LOOKS];
  if (corners === null) {
    return `M${-radius} 0A${radius} ${radius} 0 1 1 ${radius} 0A${radius} ${radius} 0 1 1 ${-radius} 0Z`;
  }
  const turn = look === "server" ? 45 : TURNS[look % LOOKS];
  const reach = radius * (corners === 3 ? 1.3 : corners === 4 ? 1.2 : 1.08);
  const points = Array.from({ length: corners }, (_, number) => {
    const angle = ((turn - 90 + (360 * number) / corners) * Math.PI) / 180;
    return `${(reach * Math.cos(angle)).toFixed(2)} ${(reach * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join("L")}Z`;
}

/** Return the look of a host: of its group's place among all groups. */
export function lookOf(host, groups) {
  return host.role === "server" ? "server" : groups.indexOf(host.group) % LOOKS;
}
