// The section of replays: one is shown at a time.

import { part } from "../data.js";
import { h } from "../dom.js";
import { verdict } from "../overview.js";
import { Player } from "./player.js";

/** Make the section; null if there is no replay. */
export function replays(page) {
  const { shown, left_out: leftOut } = page.replays;
  if (shown.length === 0) {
    return leftOut ? h("section", { id: "replay" }, h("h2", {}, "Replay"), h("p", { class: "soft" }, leftOut)) : null;
  }
  const place = h("div");
  const note = h("p", { class: "small" });
  let player = null;

  async function open(about) {
    const data = await part(about.part);
    if (shown[select.selectedIndex] !== about) {
      return; // another one was chosen meanwhile
    }
    player?.close();
    player = new Player(data);
    note.replaceChildren(
      ...(about.verdict === "valid"
        ? []
        : [verdict(about.verdict, `this trial is ${about.verdict}: it is not in the numbers above`)]),
    );
    place.replaceChildren(player.element);
  }

  const select = h(
    "select",
    { change: () => open(shown[select.selectedIndex]) },
    shown.map((about) => h("option", {}, about.name)),
  );
  open(shown[0]);
  return h(
    "section",
    { id: "replay" },
    h("h2", {}, "Replay"),
    h("p", { class: "replay-bar" }, h("label", { class: "choice" }, "Trial", select)),
    note,
    place,
    leftOut && h("p", { class: "small soft" }, leftOut),
  );
}
