// A part of the page that is made anew keeps what its reader has done to it: scrolled, opened, focused.

/** Return an element with what is in a newer one, and the state of what was there; the newer one, if it is the first. */
export function kept(before, made) {
  if (!before) {
    return made;
  }
  if (before.innerHTML === made.innerHTML) {
    return before;
  }
  const scrolled = scrolls(before).map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
  const opened = [...before.querySelectorAll("details")].map((details) => details.open);
  const focused = focusable(before).indexOf(document.activeElement);
  before.replaceChildren(...made.childNodes);
  scrolls(before).forEach((element, place) => element.scrollTo(...(scrolled[place] ?? [0, 0])));
  before.querySelectorAll("details").forEach((details, place) => {
    details.open = opened[place] ?? false;
  });
  if (focused >= 0) {
    focusable(before)[focused]?.focus({ preventScroll: true });
  }
  return before;
}

function scrolls(element) {
  return [...element.querySelectorAll(".scroll")];
}

function focusable(element) {
  return [...element.querySelectorAll("a, button, input, select, summary, [tabindex]")];
}
