// What stands beside the pictures of a swarm: the legend, and what the readings mean.

import { h, s } from "../../dom.js";
import { shape } from "../shapes.js";

/** Make the legend of the swarm. */
export function legend(swarm) {
  const groups = swarm.groups.map((group, number) => [
    number % 8,
    group,
    swarm.hosts.filter((host) => host.role !== "server" && host.group === group).length,
  ]);
  const servers = swarm.hosts.filter((host) => host.role === "server").length;
  const all = servers ? [["server", servers > 1 ? "servers" : "server", servers], ...groups] : groups;
  const items = all.map(([look, name, count]) =>
    h(
      "li",
      {},
      s(
        "svg",
        { class: `shape group-${look}`, viewBox: "-7 -7 14 14", "aria-hidden": "true" },
        s("path", { class: "level", d: shape(look, 5) }),
      ),
      count > 1 ? `${name} (${count})` : name,
    ),
  );
  const edge = s(
    "svg",
    { class: "group-server", viewBox: "0 0 26 14", "aria-hidden": "true" },
    s("path", { class: "edge", d: "M1 2L25 7L1 12Z" }),
  );
  const ask = s(
    "svg",
    { class: "shape node starves", viewBox: "-7 -7 14 14", "aria-hidden": "true" },
    s("circle", { class: "starving", r: 5.5 }),
  );
  return h(
    "ul",
    { class: "legend" },
    items,
    h("li", {}, edge, "gives, from wide to narrow"),
    h("li", {}, ask, "asks, and nobody serves it"),
  );
}

/** Make the explanation of the readings. */
export function meaning() {
  const terms = {
    payload: "what all hosts receive together, as a mean over a second or more",
    "given back":
      "of what peers give each other, the share that goes both ways within two seconds: of each pair, twice the smaller direction",
    "asking in vain": "peers that are interested in somebody, and that nobody lets have anything",
    "rarest piece": "how many hosts in the swarm have the piece that the fewest have",
  };
  const list = Object.entries(terms).flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]);
  return h("details", {}, h("summary", {}, "What these mean"), h("dl", { class: "facts" }, list));
}
