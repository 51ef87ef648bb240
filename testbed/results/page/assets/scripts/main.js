// The page of a run, from its data.

import { part } from "./data.js";
import { h } from "./dom.js";
import { figures } from "./figures.js";
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

function contents(sections) {
  const links = sections.map(({ id }) => h("li", {}, h("a", { href: `#${id}` }, TITLES[id])));
  return h("nav", { class: "contents", "aria-label": "sections of this page" }, h("ul", {}, links));
}

async function show(place) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old; one of 2024 or later can show it");
  }
  const page = await part("overview");
  const sections = [answer(page), figures(page), replays(page), tables(page), trust(page), provenance(page)].filter(
    Boolean,
  );
  place.replaceChildren(h("div", { class: "page" }, head(page, themes()), contents(sections), h("main", {}, sections)));
}

const place = document.getElementById("page");
if (place !== null) {
  show(place).catch((error) => {
    place.append(
      h(
        "p",
        { class: "plain", role: "alert" },
        `This page cannot be shown: ${error.message}. The tables and figures are beside it.`,
      ),
    );
    throw error;
  });
}
