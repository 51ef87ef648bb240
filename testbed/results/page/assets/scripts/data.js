// The parts of the page's data, which are opened when they are first wanted. A page in a file has them in itself,
// compressed; for a page that is served, they come from where it was told.

const opened = new Map();
let open = inThisPage;

/** Return a promise of a part. */
export function part(name) {
  if (!opened.has(name)) {
    opened.set(name, open(name));
    opened.get(name).catch(() => opened.delete(name));
  }
  return opened.get(name);
}

/** Have parts come from elsewhere: from a function that returns the promise of a part. */
export function readFrom(source) {
  open = source;
}

/** Forget the parts of which that is said: they have changed. */
export function forget(hasChanged) {
  for (const name of [...opened.keys()].filter(hasChanged)) {
    opened.delete(name);
  }
}

async function inThisPage(name) {
  const element = document.getElementById(`data:${name}`);
  if (element === null) {
    throw new Error(`this page has no part ${name}`);
  }
  return JSON.parse(await inflated(element.textContent));
}

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}
