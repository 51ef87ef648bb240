// The order of a table's rows. Pure.

const words = new Intl.Collator("en", { numeric: true });

/** Return row numbers in the order of some cells; empty cells come last in both directions, equal ones stay in order. */
export function sorted(rows, cells, direction) {
  const sign = direction === "descending" ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [cells[a], cells[b]];
    if (left === null || right === null) {
      return (left === null) - (right === null) || a - b;
    }
    return sign * ordered(left, right) || a - b;
  });
}

function ordered(left, right) {
  const areNumbers = typeof left === "number" && typeof right === "number";
  return areNumbers ? left - right : words.compare(String(left), String(right));
}
