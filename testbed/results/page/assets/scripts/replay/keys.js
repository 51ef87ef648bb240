// The keys of a replay, for readers.

import { h } from "../dom.js";

/** Make the list of keys; `step` is what arrows go on: a second, for instance. */
export function keys(step) {
  const all = [
    ["k", "play or pause"],
    ["←", `${step} back`],
    ["→", `${step} on`],
    ["Home", "the beginning"],
    ["End", "the end"],
    ["−", "slower"],
    ["+", "faster"],
  ];
  return h(
    "p",
    { class: "keys small soft" },
    "Keys, while a control of the replay has the focus: ",
    all.flatMap(([key, what], place) => [place ? ", " : "", h("kbd", {}, key), ` ${what}`]),
    ".",
  );
}
