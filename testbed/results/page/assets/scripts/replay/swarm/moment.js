// One moment of the swarm in words and numbers: what the picture shows, for those who cannot see it, and to read off.

import { h } from "../../dom.js";
import { counted, plain, seconds, withUnit } from "../../numbers.js";

const order = new Intl.Collator("en", { numeric: true });

const HEADINGS = ["host", "group", "has", "receives", "gives", "served by", "serves"];

/** Return a list of what the whole swarm does, as terms and descriptions. */
export function readings(swarm, t, piece = null) {
  const facts = swarm.facts(t);
  const entries = [
    ["in the swarm", `${facts.present} of ${facts.peers}`],
    ["complete", String(facts.complete)],
    ["payload", withUnit(facts.rate, "bit/s")],
    ["from the server", facts.rate > 0 ? `${plain((100 * facts.fromServer) / facts.rate, 2)} %` : "–"],
    ["given back", facts.givenBack === null ? "–" : `${plain(100 * facts.givenBack, 2)} %`],
    ["asking in vain", String(facts.starving)],
    facts.rarest !== null && ["rarest piece", copies(facts.rarest)],
    piece !== null && [`piece ${piece}`, copies(swarm.copies(t)[piece])],
  ].filter(Boolean);
  return entries.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text)));
}

function copies(count) {
  return count === 1 ? "1 copy" : `${count} copies`;
}

/** Return a moment in a sentence. */
export function inWords(swarm, t) {
  const facts = swarm.facts(t);
  const vain = facts.starving ? `, ${counted(facts.starving, "peer")} asking in vain` : "";
  return `At ${seconds(t)}: ${facts.present} of ${counted(facts.peers, "peer")} in the swarm, ${facts.complete} complete, ${withUnit(facts.rate, "bit/s")}${vain}.`;
}

/** Return a table with a row for each host. */
export function hostsTable(swarm, t) {
  const rows = swarm.hosts.map((host, number) => row(swarm, host, number, t));
  return h(
    "table",
    {},
    h("caption", { class: "hidden" }, `The swarm at ${seconds(t)}`),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        HEADINGS.map((heading) => h("th", { scope: "col" }, heading)),
      ),
    ),
    h("tbody", {}, rows),
  );
}

function row(swarm, host, number, t) {
  const incoming = swarm.incoming[number];
  const outgoing = swarm.outgoing[number];
  const rate = (links) =>
    withUnit(
      links.reduce((sum, link) => sum + swarm.rate(link, t), 0),
      "bit/s",
    );
  const isPresent = swarm.isPresent(number, t);
  const cells = isPresent
    ? [
        `${plain(100 * swarm.share(number, t), 3)} %`,
        rate(incoming),
        rate(outgoing),
        swarm.starves(number, t) ? "nobody, though it asks" : served(swarm, incoming, t, "from"),
        served(swarm, outgoing, t, "to"),
      ]
    : ["away", "", "", "", ""];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, host.name),
    h("td", {}, host.group),
    cells.map((cell) => h("td", {}, cell)),
  );
}

function served(swarm, links, t, end) {
  const open = links.filter((link) => swarm.slot(link, t) !== "choked");
  return open
    .map((link) => `${swarm.hosts[link[end]].name}${swarm.slot(link, t) === "optimistic" ? "*" : ""}`)
    .sort(order.compare)
    .join(", ");
}
