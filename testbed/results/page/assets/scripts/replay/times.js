// Ascending times. Pure.

/** Return how many of some ascending times have passed. */
export function countUntil(times, t) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
