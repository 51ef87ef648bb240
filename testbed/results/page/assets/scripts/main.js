// The page of a run, from its data.

import { part } from "./data.js";
import { figures } from "./figures.js";
import { begin, frame } from "./frame.js";
import { answer, head } from "./overview.js";
import { replays } from "./replay/section.js";
import { tables } from "./tables/section.js";
import { themes } from "./themes.js";
import { provenance, trust } from "./trust.js";

const TITLES = {
  answer: "Numbers",
  figures: "Figures",
  replay: "Replay",
  tables: "Tables",
  trust: "Trust",
  provenance: "Provenance",
};

async function show(place) {
  const page = await part("overview");
  const sections = [answer(page), figures(page), replays(page), tables(page), trust(page), provenance(page)];
  place.replaceChildren(frame(head(page, themes()), sections.filter(Boolean), TITLES));
}

begin(show, "The tables and figures are beside it.");
