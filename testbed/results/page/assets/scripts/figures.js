// The figures of the run, as they are for a paper, and their numbers.

import { part } from "./data.js";
import { h } from "./dom.js";
import { sheet } from "./tables/sheet.js";

/** Make the section of figures; null if there are none. */
export function figures(page) {
  if (page.figures.length === 0) {
    return null;
  }
  return h(
    "section",
    { id: "figures" },
    h("h2", {}, "Figures"),
    h("div", { class: "figures" }, page.figures.map(figure)),
  );
}

function figure(about) {
  const name = about.name.replaceAll("_", " ");
  const file = `figures/${about.name}.pdf`;
  const caption = h("figcaption", {}, h("strong", {}, name), h("span", { class: "soft" }, ` · ${file}`));
  const element = h("figure", { class: about.size === "wide" || about.kind === "heatmap" ? "wide" : false });
  if (about.part === null) {
    element.append(h("p", { class: "soft" }, `It is too large for this page: see ${file}.`), caption);
  } else {
    const image = h("img", { alt: `The figure ${name}, a ${about.kind}; its numbers follow as a table.` });
    element.append(image, caption);
    part(about.part).then((drawing) => image.setAttribute("src", `data:image/svg+xml,${encodeURIComponent(drawing)}`));
  }
  if (about.numbers.part !== null) {
    element.append(numbers(about.numbers));
  }
  return element;
}

function numbers(about) {
  const details = h("details", {}, h("summary", {}, `Its numbers (${about.rows})`));
  details.addEventListener("toggle", async () => details.append(sheet(about, await part(about.part))), { once: true });
  return details;
}
