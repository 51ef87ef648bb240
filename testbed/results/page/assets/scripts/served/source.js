// The data of a page that is served. Parts are asked for by the hash of their contents, so each is fetched once.

import { forget, readFrom } from "../data.js";

const REPLAY = "replay-";

/** Where the parts of a run's page come from; `address` ends in a slash. */
export class Source {
  constructor(address) {
    this.address = address;
    this.hashes = {};
    readFrom((name) => this.part(name));
  }

  /** Return the overview as it is now; from then on, its parts are those that are given. */
  async overview() {
    const answer = await asked(`${this.address}overview`);
    const hashes = JSON.parse(answer.headers.get("testbed-parts"));
    const page = await answer.json();
    const before = this.hashes;
    this.hashes = hashes;
    forget((name) => name.startsWith(REPLAY) || hashes[name] !== before[name]);
    return page;
  }

  async part(name) {
    const place = name.startsWith(REPLAY) ? `replays/${encodeURIComponent(name)}` : `parts/${this.hashes[name]}`;
    return (await asked(`${this.address}${place}`)).json();
  }
}

async function asked(address) {
  const answer = await fetch(address);
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  return answer;
}
