// Light, dark, or as the system has it. Nothing is stored: a page in a file has no place of its own for that.

import { h } from "./dom.js";

const NEXT = { system: "light", light: "dark", dark: "system" };

/** Make the button that changes the theme; whoever draws on a canvas listens to `themechange`. */
export function themes() {
  let theme = "system";
  const button = h("button", { type: "button", class: "themes small" });
  const say = () => {
    button.textContent = `Colours: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    document.documentElement.dataset.theme = theme;
    say();
    document.dispatchEvent(new Event("themechange"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));
  say();
  return button;
}
