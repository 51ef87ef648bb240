"""Numbers with their nouns, as all messages have them. Pure."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 trial`, `2 trials`; the plural is regular unless it is given."""
    return f"{count} {one_or_many(count, noun, plural or f'{noun}s')}"


def one_or_many(count: int, one: str, many: str) -> str:
    """Return the word that goes with a number, such as `is` or `are`."""
    return one if count == 1 else many
