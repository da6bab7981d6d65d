"""Words written one after another, as a set."""


def several(text: str) -> frozenset[str]:
    """The words of a text, blanks and line breaks aside."""
    return frozenset(text.split())
