"""What is asked of the looks of any page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (360, 800, 1600)

OVERLAPS = """
() => {
  const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const skipped = ".hidden, .contents, option, canvas, noscript, script, .sheet thead";
  const boxes = [...document.querySelectorAll("#page *")]
    .filter((element) => hasText(element) && isShown(element) && !element.closest(skipped))
    .flatMap((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      const scroll = element.closest(".scroll")?.getBoundingClientRect();
      return [...range.getClientRects()]
        .filter((box) => box.width > 1 && box.height > 1)
        .filter((box) => !scroll || (box.right <= scroll.right && box.bottom <= scroll.bottom))
        .map((box) => ({ element, box, text: element.textContent.slice(0, 30) }));
    });
  const found = [];
  boxes.forEach((one, place) => boxes.slice(place + 1).forEach((other) => {
    const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    const areNested = one.element.contains(other.element) || other.element.contains(one.element);
    if (width > 2 && height > 4 && !areNested) {
      found.push(`${one.text} / ${other.text}`);
    }
  }));
  return found;
}
"""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules of accessibility that a page does not keep, with the elements."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
