// The parts of the page's data. They are in the page itself, compressed, and are opened when they are first wanted.

const opened = new Map();

/** Return a promise of a part. */
export function part(name) {
  if (!opened.has(name)) {
    opened.set(name, open(name));
  }
  return opened.get(name);
}

async function open(name) {
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
