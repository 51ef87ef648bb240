// What all pages have around their sections, and what they say if they cannot be shown.

import { h } from "./dom.js";

/** Make the frame of a page: its head, links to its sections by their ids, and the sections. */
export function frame(head, sections, titles) {
  return h("div", { class: "page" }, head, contents(sections, titles), h("main", {}, sections));
}

/** Make links to sections. */
export function contents(sections, titles) {
  const links = sections.map(({ id }) => h("li", {}, h("a", { href: `#${id}` }, titles[id])));
  return h("nav", { class: "contents", "aria-label": "sections of this page" }, h("ul", {}, links));
}

/** Show a page in its place, if this document has one; `instead` says what serves if it cannot be shown. */
export function begin(show, instead) {
  const place = document.getElementById("page");
  if (place !== null) {
    checked(show, place).catch((error) => {
      const why = `This page cannot be shown: ${error.message}. ${instead}`;
      place.append(h("p", { class: "plain", role: "alert" }, why));
      throw error;
    });
  }
}

async function checked(show, place) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old; one of 2024 or later can show it");
  }
  await show(place);
}
