// Numbers as people read them. Pure.

const STEPS = {
  "bit/s": [
    [1e9, "Gbit/s"],
    [1e6, "Mbit/s"],
    [1e3, "kbit/s"],
  ],
  B: [
    [2 ** 30, "GiB"],
    [2 ** 20, "MiB"],
    [2 ** 10, "KiB"],
  ],
};

/** Return the unit in which numbers up to `largest` have few digits: its name, and its worth in the unit given. */
export function unitFor(unit, largest) {
  const step = (STEPS[unit] ?? []).find(([worth]) => largest >= worth);
  return step ? { name: step[1], worth: step[0] } : { name: unit, worth: 1 };
}

/** Write a number with some significant digits, without an exponent where that is possible: 12345.6 -> "12346". */
export function plain(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "–";
  }
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-6) {
    return value.toExponential(digits - 1);
  }
  const places = size === 0 ? 0 : Math.max(0, Math.min(9, digits - 1 - Math.floor(Math.log10(size))));
  const text = value.toFixed(places);
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return (short === "-0" ? "0" : short).replace("-", "−");
}

/** Write a number with its unit. */
export function withUnit(value, unit, digits = 3) {
  const found = unitFor(unit, Math.abs(value ?? 0));
  return `${plain(value / found.worth, digits)} ${found.name}`.trim();
}

/** Write a count with its noun: "1 row", "2 rows". */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Write a time within a trial. */
export function seconds(t) {
  return `${t.toFixed(1)} s`;
}
