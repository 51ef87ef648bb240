// The time of a replay: it runs, stands, and is set. Pure but for what it is told of the real time.

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
const WHOLE_SECONDS = 30;

/**
 * A time between 0 and `end` that runs when it is told how much real time has passed. It begins with the slowest of the
 * speeds at which the whole takes no longer than some real seconds.
 */
export class Clock {
  constructor(end, t = 0, speeds = SPEEDS, whole = WHOLE_SECONDS) {
    this.end = end;
    this.t = t;
    this.isRunning = false;
    this.speeds = speeds;
    this.speed = speeds.find((speed) => end / speed <= whole) ?? speeds.at(-1);
  }

  /** Start or stop; from the end it starts again. */
  toggle() {
    if (!this.isRunning && this.t >= this.end) {
      this.t = 0;
    }
    this.isRunning = !this.isRunning;
  }

  /** Go to a time, as far as there is one. */
  seek(t) {
    this.t = Math.min(this.end, Math.max(0, t));
  }

  /** Let real time pass, in seconds; at the end the clock stops. */
  advance(seconds) {
    if (this.isRunning) {
      this.seek(this.t + seconds * this.speed);
      this.isRunning = this.t < this.end;
    }
  }

  /** Choose the next faster or slower speed. */
  shift(step) {
    const place = this.speeds.indexOf(this.speed) + step;
    this.speed = this.speeds[Math.min(this.speeds.length - 1, Math.max(0, place))];
  }
}
