// What one writes to filter a table: words, and comparisons such as `group=rider` or `download_s>10`. Pure.

const TERM = /([A-Za-z_][\w.]*)\s*(!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|(\S+))|"([^"]*)"|(\S+)/g;

const COMPARE = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

/**
 * Read a query for columns with these names. Returns `holds`, which says whether a row meets all of its terms (the row
 * is given as a function from a column's place to its cell), and `fault`, which says what is wrong with it, or is "".
 */
export function readQuery(text, names) {
  const tests = [];
  for (const [, name, sign, quoted, bare, phrase, word] of text.matchAll(TERM)) {
    if (name === undefined) {
      tests.push(containing((phrase ?? word).toLowerCase(), names.length));
    } else if (names.includes(name)) {
      tests.push(comparing(names.indexOf(name), COMPARE[sign], quoted ?? bare));
    } else {
      return { holds: () => true, fault: `there is no column ${name}` };
    }
  }
  return { holds: (cell) => tests.every((test) => test(cell)), fault: "" };
}

function containing(text, count) {
  return (cell) => {
    for (let place = 0; place < count; place++) {
      if (
        String(cell(place) ?? "")
          .toLowerCase()
          .includes(text)
      ) {
        return true;
      }
    }
    return false;
  };
}

function comparing(place, compare, wanted) {
  const number = Number(wanted);
  return (cell) => {
    const value = cell(place);
    if (value === null) {
      return false;
    }
    if (typeof value === "number") {
      return !Number.isNaN(number) && compare(value - number);
    }
    return compare(String(value).toLowerCase().localeCompare(wanted.toLowerCase()));
  };
}
