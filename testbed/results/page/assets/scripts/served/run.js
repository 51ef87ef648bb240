// The page of a run that is served: it follows the run.

import { h } from "../dom.js";
import { Shown } from "../shown.js";
import { listen } from "./events.js";
import { Source } from "./source.js";
import { clock, Status } from "./status.js";

const LOST = "The server does not answer: was it ended? This is what was known at";

class Page {
  constructor(place) {
    this.place = place;
    this.source = new Source("");
    this.status = new Status();
    this.first = h("main", { class: "plain" });
    this.shown = null;
    this.state = null;
    this.version = 0;
    this.isFetching = false;
    this.heard = 0;
    const name = document.title;
    this.first.append(h("p", { class: "back small soft" }, back(), name), h("h1", {}, name), this.status.element);
    place.replaceChildren(this.first);
  }

  hear(state) {
    this.heard = Date.now() / 1000;
    this.state = state;
    this.status.update(state);
    this.follow();
  }

  lose(isLost) {
    const heard = this.heard ? `${LOST} ${clock(this.heard)}.` : "The server does not answer.";
    this.status.complain(isLost ? heard : (this.state?.trouble ?? ""));
  }

  /** Show the latest version; while one is being fetched, only the last of those that come meanwhile. */
  async follow() {
    if (this.isFetching || this.state.version === this.version) {
      return;
    }
    this.isFetching = true;
    const wanted = this.state.version;
    try {
      this.show(await this.source.overview());
      this.version = wanted;
    } catch (error) {
      this.version = wanted;
      this.status.complain(`This page cannot be shown: ${error.message}`);
    } finally {
      this.isFetching = false;
    }
    this.follow();
  }

  show(page) {
    if (this.shown === null) {
      this.shown = new Shown(back(), this.status.element);
      this.place.replaceChildren(this.shown.element);
    }
    document.title = page.title;
    this.shown.update(page);
  }
}

function back() {
  return h("span", {}, h("a", { href: "../../" }, "All runs"), " / ");
}

const place = document.getElementById("page");
if (place !== null) {
  const page = new Page(place);
  listen(
    "events",
    (state) => page.hear(state),
    (isLost) => page.lose(isLost),
  );
}
