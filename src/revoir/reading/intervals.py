"""How many months lie between two payments, by the words that files and headers say it in."""

from __future__ import annotations

import re
from collections.abc import Iterable

from revoir.tables import plain_name

_UNITS = (
    (r"\b(?:per|par) (?:month|mois)\b", 1.0),
    (r"semi ?monthly|bi ?mensuel", 0.5), (r"bi ?mestr", 2.0), (r"quadri ?mest", 4.0),
    (r"bienn|bis ?annu", 24.0), (r"trienn", 36.0),
    (r"(?:bi|semi) ?annu|semest|half ?year", 6.0), (r"quarter|trimest", 3.0),
    (r"monthly|mensuel|mensualite|\bmrr\b", 1.0), (r"annual|annuel|yearly|\ba(?:rr|cv)\b", 12.0),
    (r"month|mois", 1.0), (r"year|annee|annum|\bans?\b|\byrs?\b", 12.0),
    (r"fortnight|quinzaine", 24 / 52), (r"week(?! ?end)|semaine|hebdo", 12 / 52),
    # A price that is “mis à jour” is up to date.
    (r"\bday|daily|quotidien|(?<!a )jour", 12 / 365),
)  # fmt: skip
"""What units of time are called; a price that is monthly may be of a contract of a year."""
_ISO = re.compile(r"p?(\d{1,3})([dwmy])")
_LETTERS = {"d": 12 / 365, "w": 12 / 52, "m": 1.0, "y": 12.0}
_TWICE_OR_EVERY_TWO = re.compile(r"\bbi ?(?:month|week|hebdo)")
_COMMITMENT = re.compile(r"\b(?:engagement|commitment)\b.*")
"""How long somebody is bound says nothing of when the price is paid."""
_NUMBERS = {
    "two": 2, "deux": 2, "twice": 2, "other": 2, "three": 3, "trois": 3, "four": 4, "quatre": 4,
    "six": 6, "twelve": 12, "douze": 12,
}  # fmt: skip
_NUMBER = rf"\b(\d{{1,3}}|{'|'.join(_NUMBERS)})"
_EVERY = re.compile(rf"{_NUMBER}$")
_OFTEN = re.compile(
    rf"{_NUMBER} ?(?:x|times|fois)(?: ?(?:a|per|par))?$|{_NUMBER} (?:a|per|par)$|\b(twice)$"
)
_BARE = re.compile(r"(\d{1,3})(?: 0)?")
_USUAL = frozenset([1, 3, 6, 12])


def months_of(word: str) -> float | None:
    """How many months lie between two payments.

    Args:
        word: A cell or a header, plain.

    Returns:
        None where the word says nothing of it, or may mean two things.

    Examples:
        >>> [months_of(word) for word in ("month", "annuel", "3 months", "p1y", "gold")]
        [1.0, 12.0, 3.0, 12.0, None]
        >>> [months_of(word) for word in ("biennial", "biannual", "2 fois par an", "bimonthly")]
        [24.0, 6.0, 6.0, None]
    """
    word = _COMMITMENT.sub("", word).strip()
    if iso := _ISO.fullmatch(word):
        return int(iso[1]) * _LETTERS[iso[2]] or None
    if _TWICE_OR_EVERY_TWO.search(word):
        return None
    for pattern, months in _UNITS:
        if found := re.search(pattern, word):
            before = word[: found.start()].strip()
            if often := _OFTEN.search(before):
                times = _value(next(filter(None, often.groups())))
                return months / times if times else None
            every = _EVERY.search(before)
            return months * (_value(every[1]) if every else 1) or None
    return None


def months_of_header(header: str) -> float | None:
    """How many months the price under a header is for; None where it does not say so.

    Examples:
        >>> [months_of_header(header) for header in ("Prix annuel HT", "price_per_month", "Prix")]
        [12.0, 1.0, None]
    """
    return months_of(plain_name(header).replace("_", " "))


def months_of_words(header: str, words: Iterable[str]) -> dict[str, float]:
    """How many months lie between two payments, by each word of a column that says so.

    A number alone is one of months where the header says months, or where all of them are usual
    ones. A frequency of 12 may be twelve times a year.

    Args:
        header: The header of the column.
        words: Its different cells, plain.

    Examples:
        >>> months_of_words("interval", ["year", "lifetime"])
        {'year': 12.0}
        >>> months_of_words("interval", ["1", "12"]), months_of_words("frequency", ["1", "12"])
        ({'1': 1.0, '12': 12.0}, {})
    """
    words = list(words)
    found = {word: months for word in words if (months := months_of(word))}
    numbers = {word: float(bare[1]) for word in words if (bare := _BARE.fullmatch(word))}
    tokens = set(plain_name(header).split("_"))
    if tokens & {"months", "month", "mois"}:
        return found | {word: number for word, number in numbers.items() if number}
    if tokens & {"frequency", "frequence"} or not set(numbers.values()) <= _USUAL:
        return found
    return found | numbers


def is_number(word: str) -> bool:
    """Whether a plain word is a number and nothing beside."""
    return _BARE.fullmatch(word) is not None


def _value(number: str) -> int:
    return _NUMBERS.get(number) or int(number)
