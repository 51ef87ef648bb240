// The page of a run as a file, which has its data in itself.

import { part } from "./data.js";
import { begin } from "./frame.js";
import { Shown } from "./shown.js";

async function show(place) {
  const shown = new Shown();
  shown.update(await part("overview"));
  place.replaceChildren(shown.element);
}

begin(show, "The tables and figures are beside it.");
