// What the server tells, and whether it still does.

/** Call `told` with each value that an address tells, and `lost` with whether the server is out of reach. */
export function listen(address, told, lost) {
  let events = null;

  function begin() {
    events = new EventSource(address);
    events.addEventListener("open", () => lost(false));
    events.addEventListener("error", () => lost(true));
    events.addEventListener("message", (event) => told(JSON.parse(event.data)));
  }

  // Browsers keep six connections to a server, so a page that nobody sees lets go of its own.
  function follow() {
    if (document.visibilityState === "hidden") {
      events?.close();
      events = null;
    } else if (events === null) {
      begin();
    }
  }

  document.addEventListener("visibilitychange", follow);
  follow();
}
