// Searches in words and numbers: in the menu, at a moment, as a table, and what the picture's marks mean.

import { h, s } from "../../dom.js";
import { counted, plain } from "../../numbers.js";
import { shape } from "../shapes.js";
import { lookOf, mark } from "./marks.js";

const MOST_ROWS = 300;
const HEADINGS = ["sent", "arrives", "from", "to", "message"];
const OUTCOMES = { found: "found", not_found: "not found", failed: "nobody could be asked", left: "its node left" };

/** Write a time after the beginning of a search. */
export function shortTime(t) {
  return t < 1 ? `${plain(1000 * t, 3)} ms` : `${plain(t, 3)} s`;
}

/** Write what came of a search: "found after 120 ms, 12 messages". */
export function result({ right, about, messages, answers }) {
  const outcome = right.length
    ? `found after ${shortTime(right[0].t)}`
    : answers.length
      ? "no right answer"
      : (OUTCOMES[about.outcome] ?? "never ended");
  return `${outcome}, ${counted(messages.length + about.unshown, "message")}`;
}

/** Write a search in a line of a menu. */
export function title(search) {
  return `${nameOf(search, search.node)} asks for “${search.about.wanted}”: ${result(search)}`;
}

/** Return what is known of a search as a whole, as terms and descriptions. */
export function summary(search) {
  const { about } = search;
  const holders = about.holders.map((host) => nameOf(search, host)).join(", ");
  const terms = [
    ["asks", `${nameOf(search, search.node)}, ${plain(about.began, 4)} s after the trial began`],
    ["for", about.wanted],
    ["who has it", holders || "nobody else that was there"],
    ["outcome", result(search)],
    about.hops !== null && ["hops before the first answer", String(about.hops)],
    about.timeouts > 0 && ["never answered", counted(about.timeouts, "question")],
    search.took !== null && ["it ended", `after ${shortTime(search.took)}`],
    about.unshown > 0 && ["not shown", counted(about.unshown, "later message")],
  ].filter(Boolean);
  return terms.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]);
}

/** Return a moment as terms and descriptions. */
export function readings(search, t) {
  const facts = search.facts(t);
  const entries = [
    ["messages sent", `${facts.sent} of ${search.messages.length}`],
    ["answers among them", String(facts.answering)],
    ["on the way", String(facts.underWay)],
    ["nodes asked", `${facts.asked} of ${facts.present}`],
    ["holders found", `${facts.right} of ${Math.max(search.about.holders.length, facts.right)}`],
    facts.amiss > 0 && ["stale or wrong answers", String(facts.amiss)],
  ].filter(Boolean);
  return entries.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text)));
}

/** Return a moment in a sentence. */
export function inWords(search, t) {
  const { sent, asked, present, right } = search.facts(t);
  const whole = Math.max(search.about.holders.length, right);
  return `${shortTime(t)} after ${nameOf(search, search.node)} asked for “${search.about.wanted}”: ${counted(sent, "message")} sent, ${asked} of ${counted(present, "node")} asked, ${right} of ${counted(whole, "holder")} found.`;
}

/** Return a table with a row for each message that had been sent, the last one first. */
export function messagesTable(search, t) {
  const sent = search.messages.slice(0, search.facts(t).sent).reverse();
  const rows = sent.slice(0, MOST_ROWS).map((message) => row(search, message, t));
  const caption = `The messages by ${shortTime(t)}, the last one first`;
  return h(
    "table",
    {},
    h("caption", { class: "hidden" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        HEADINGS.map((heading) => h("th", { scope: "col" }, heading)),
      ),
    ),
    h("tbody", {}, rows.length ? rows : h("tr", {}, h("td", { colspan: HEADINGS.length }, "none yet"))),
  );
}

function row(search, message, t) {
  const arrives = message.came <= t ? shortTime(message.came) : `${shortTime(message.came)}, on its way`;
  const kind = message.isAnswer ? `${message.kind} (an answer)` : message.kind;
  const cells = [arrives, nameOf(search, message.from), nameOf(search, message.to), kind];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, shortTime(message.sent)),
    cells.map((cell) => h("td", {}, cell)),
  );
}

function nameOf(search, host) {
  return search.data.hosts[host].name;
}

/** Make the legend. */
export function legend(searches) {
  const looks = new Map(searches.hosts.map((host) => [lookOf(host, searches.groups), host.group]));
  const groups = [...looks].map(([look, group]) => [
    s("path", { class: "outline", d: shape(look, 5) }),
    searches.hosts.filter((host) => host.group === group).length > 1 ? `${group} (${countOf(searches, group)})` : group,
    `node group-${look}`,
  ]);
  const node = [...looks][looks.size - 1][0];
  const outline = () => s("path", { class: "outline", d: shape(node, 5) });
  const marks = [
    [
      "asks",
      [outline(), s("path", { class: "asked", d: shape(node, 5) }), s("circle", { class: "asks", r: 6.2 })],
      "asking",
    ],
    ["was asked", [outline(), s("path", { class: "asked", d: shape(node, 5) })], "was-asked"],
    ["has it", [outline(), s("circle", { class: "has", r: 2.2 })], "holds"],
    ["has it, and was named", [outline(), s("circle", { class: "has", r: 2.2 })], "holds found"],
  ].map(([text, parts, style]) => [parts, text, `node group-${node} ${style}`]);
  const messages = [false, true].map((isAnswer) => [
    [
      s("path", { class: `trail ${isAnswer ? "answer" : "question"}`, d: "M-7 0H7" }),
      s("path", { class: `dot ${isAnswer ? "answer" : "question"}`, d: mark({ isAnswer }, { x: 0, y: 0 }, 3.5) }),
    ],
    isAnswer ? "an answer" : "a question",
    "",
  ]);
  const key = searches.all.some((search) => search.about.key !== null) && [
    s("g", { class: "key" }, s("path", { d: "M0 -6V6" })),
    "the key, among the identifiers",
    "",
  ];
  return h("ul", { class: "legend" }, [...groups, ...marks, ...messages, key].filter(Boolean).map(item));
}

function item([parts, text, style]) {
  const picture = s(
    "svg",
    { class: "shape", viewBox: "-7 -7 14 14", "aria-hidden": "true" },
    s("g", { class: style }, parts),
  );
  return h("li", {}, picture, text);
}

function countOf(searches, group) {
  return searches.hosts.filter((host) => host.group === group).length;
}

/** Make the explanation of what is shown. */
export function meaning() {
  const terms = {
    messages: "all that any node sent for this search, as the traces tell it; upkeep of the overlay is not shown",
    "on the way":
      "a trace has one of the two times of a message: when it was sent, or when it came. The other one is as far away as the links of both hosts delay it",
    "faint lines": "who knew whom when the search began, as nodes say every five seconds",
    "holders found": "nodes that had what was meant, were to be there, and were named by an answer",
  };
  const list = Object.entries(terms).flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]);
  return h("details", {}, h("summary", {}, "What these mean"), h("dl", { class: "facts" }, list));
}
