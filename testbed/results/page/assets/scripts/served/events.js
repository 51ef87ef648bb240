// What the server tells, and whether it still does.

/** Call `told` with each value that an address tells, and `lost` with whether the server is out of reach. */
export function listen(address, told, lost) {
  const events = new EventSource(address);
  events.addEventListener("open", () => lost(false));
  events.addEventListener("error", () => lost(true));
  events.addEventListener("message", (event) => told(JSON.parse(event.data)));
  // A page that is left for another one lets go of its connection: browsers keep only six of them.
  window.addEventListener("pagehide", () => events.close());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}
