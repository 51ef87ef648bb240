// Light, dark, or as the system has it. Nothing is stored: a page in a file has no place of its own for that.

import { h } from "./dom.js";

const NEXT = { system: "light", light: "dark", dark: "system" };

/** Make the button that changes the theme; whoever draws on a canvas listens to `themechange`. */
export function themes() {
  let theme = "system";
  const button = h("button", { type: "button", class: "themes small", click: () => choose(NEXT[theme]) });

  function choose(name) {
    theme = name;
    button.textContent = `Colours: ${name}`;
    show(name);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(theme));
  window.addEventListener("beforeprint", () => show("light"));
  window.addEventListener("afterprint", () => show(theme));
  choose(theme);
  return button;
}

function show(theme) {
  document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new Event("themechange"));
}
