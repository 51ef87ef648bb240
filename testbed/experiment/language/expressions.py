"""The small language of `when:`, `where:` and `expect:`; it is parsed, and never run as code.

    expectation  product (COMPARE product)+ [where condition]
    product      factor (* factor)*
    factor       NUMBER, QUANTITY, aggregate, or (aggregate where condition), which has rows of its own
    aggregate    COLUMN.mean | median | min | max | p95 | count, or count alone (of rows)
    condition    all of `not`, `and`, `or`, brackets, and
                 NAME COMPARE value, NAME in (value, ...)
    value        a number, a quantity such as 8 Mbit/s, a word, or text in quotes
    COMPARE      = != < <= > >=

A quantity is converted to the first unit of its kind: bit/s, B, s, %, /s. Values of rows are converted in the same way,
so that `8 Mbit/s` in a table equals 8000 kbit/s here.
"""

from difflib import get_close_matches
from typing import Final, NoReturn

from testbed.experiment.language.advice import OWN_WHERE, SYNONYMS, at_end, instead_of_unit, instead_of_word
from testbed.experiment.language.aggregates import AGGREGATES, COUNT, Aggregate, Constant, Expectation, Product
from testbed.experiment.language.conditions import COMPARE, Comparison, Condition, Junction, Negation, names_in
from testbed.experiment.language.tokens import END, ExpressionError, Token, read_value, tokens

__all__ = ["names_in", "parse_condition", "parse_expectation", "read_value"]

_NAMES: Final = (*AGGREGATES, COUNT)
_START: Final = Token("start", "", 0)


def parse_condition(text: str) -> Condition:
    """Parse the condition after `when:` or `where`."""
    parser = _Parser(text)
    condition = parser.condition()
    parser.end("`and`, `or`")
    return condition


def parse_expectation(text: str) -> Expectation:
    """Parse one line of `expect:`."""
    return _Parser(text).expectation()


class _Parser:
    """A recursive descent with one token of lookahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._last = _START
        self._next = next(self._tokens)

    def expectation(self) -> Expectation:
        products, signs = [self._product()], []
        while self._next.text in COMPARE:
            signs.append(self._take().text)
            products.append(self._product())
        if not signs:
            self._refuse("a comparison: =, !=, <, <=, > or >=", OWN_WHERE if self._next.text == "where" else "")
        where = self.condition() if self._took("where") else None
        advice = at_end(self._next.text, has_condition=where is not None)
        self.end("`and`, `or`" if where else "a comparison, `where`", advice)
        if not any(product.aggregates for product in products):
            raise ExpressionError(
                0, "it compares no measured value: write a column and an aggregate, such as payload_ratio.mean"
            )
        return Expectation(self._text, tuple(products), tuple(signs), where)

    def condition(self) -> Condition:
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), any)

    def end(self, possible: str, advice: str = "") -> None:
        if self._next.kind != "end":
            self._refuse(f"{possible} or {END}", advice)

    def _product(self) -> Product:
        factors = [self._factor()]
        while self._took("*"):
            factors.append(self._factor())
        return Product(tuple(factors))

    def _factor(self) -> Constant | Aggregate:
        if self._next.kind == "number":
            token = self._take()
            return Constant(float(token.value), token.unit, token.offset)
        return self._chosen() if self._next.text == "(" else self._aggregate()

    def _chosen(self) -> Aggregate:
        """Parse an aggregate with a condition of its own."""
        start = self._take().offset
        aggregate = self._aggregate()
        if not self._took("where"):
            self._refuse("`where`", ": brackets are for a side with rows of its own")
        where = self.condition()
        self._need(")")
        text = " ".join(self._text[start : self._last.end].split())
        return Aggregate(aggregate.column, aggregate.name, where, text, aggregate.offset)

    def _aggregate(self) -> Aggregate:
        if self._next.kind != "word":
            self._refuse("a number, or a column and an aggregate such as payload_ratio.mean")
        token = self._take()
        column, _, name = token.text.rpartition(".")
        if name not in _NAMES or (not column and name != COUNT):
            raise ExpressionError(token.offset, _no_aggregate(token.text, is_called=self._next.text == "("))
        return Aggregate(column, name, offset=token.offset)

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._took("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), all)

    def _negation(self) -> Condition:
        if self._took("not"):
            return Negation(self._negation())
        if self._took("("):
            inner = self.condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        if self._next.kind != "word":
            self._refuse("a name, such as distribution")
        name = self._take()
        if self._took("in"):
            return self._membership(name)
        if self._next.text not in COMPARE:
            self._refuse("=, !=, <, <=, >, >= or in")
        return _compared(name, self._take().text, self._value())

    def _membership(self, name: Token) -> Condition:
        self._need("(", ", as in `in (one, others)`")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return Junction(tuple(_compared(name, "=", value) for value in values), any)

    def _value(self) -> Token:
        if self._next.kind not in {"number", "word", "text"}:
            self._refuse("a value, such as 8 Mbit/s or bittorrent")
        return self._take()

    def _took(self, text: str) -> bool:
        """Take the next token if it is this one. A text in quotes never is."""
        found = self._next.kind in {"keyword", "sign"} and self._next.text == text
        if found:
            self._take()
        return found

    def _need(self, text: str, example: str = "") -> None:
        if not self._took(text):
            self._refuse(f"`{text}`{example}")

    def _take(self) -> Token:
        self._last = self._next
        self._next = next(self._tokens, self._next)
        return self._last

    def _refuse(self, possible: str, advice: str = "") -> NoReturn:
        found = self._next.text if self._next.kind == "end" else repr(self._next.text)
        raise ExpressionError(self._next.offset, f"expected {possible}, found {found}{advice or self._advice()}")

    def _advice(self) -> str:
        """Return what to write instead of the next token."""
        if advice := instead_of_word(self._last.text, self._next.text):
            return advice
        is_unit = self._last.kind == "number" and not self._last.unit and self._next.kind == "word"
        return instead_of_unit(self._next.text) if is_unit else ""


def _compared(name: Token, sign: str, value: Token) -> Comparison:
    return Comparison(name.text, sign, value.value, value.unit, name.offset, value.offset)


def _no_aggregate(text: str, *, is_called: bool) -> str:
    """Refuse a column without an aggregate, or with an unknown one; `is_called` if it stands before a bracket."""
    if is_called:
        return f"{text!r} is not a function: write the aggregate behind the column, such as payload_ratio.mean"
    column, _, name = text.rpartition(".")
    if not column and name in AGGREGATES:
        return f"{text!r} has no column: write one in front of it, such as payload_ratio.mean"
    close = [SYNONYMS[name]] if name in SYNONYMS else get_close_matches(name, _NAMES, n=1)
    hint = f" (did you mean {column}.{close[0]}?)" if column and close else ""
    return f"{text!r} has no aggregate{hint}: behind the column, write {_one_of_names()}"


def _one_of_names() -> str:
    *names, last = (f".{name}" for name in _NAMES)
    return f"{', '.join(names)} or {last}"
