"""Messages in the reader's language: gettext for words, Babel for figures.

A message is made where the fact is known and worded where it is shown: the core builds a
`Message`, and whoever prints it says in which language.
"""

from __future__ import annotations

import datetime as dt
import gettext
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, reduce
from pathlib import Path
from typing import Any

LANGUAGES = ("fr", "en")
"""The languages that are complete."""

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
CATALOGUES = Path(__file__).parent / "locale"


@dataclass(frozen=True)
class Percent:
    """A share shown as a percentage: ``Percent(0.7)`` is 70 %."""

    value: float
    digits: int = 1


def asked_share(value: float) -> Percent:
    """A share that somebody chose, with as many decimals as it has: 99.9 % is not 100 %.

    Examples:
        >>> [asked_share(value).digits for value in (0.9, 0.95, 0.995, 0.9999)]
        [0, 0, 1, 2]
    """
    digits = (place for place in range(5) if abs(round(value, place + 2) - value) < 1e-9)
    return Percent(value, next(digits, 5))


@dataclass(frozen=True)
class Money:
    """An amount with its ISO 4217 currency (None: the currency is not known)."""

    value: float | Decimal
    currency: str | None = None
    digits: int | None = None


@dataclass(frozen=True)
class Number:
    """A number with a fixed count of decimals."""

    value: float
    digits: int = 1
    signed: bool = False


@dataclass(frozen=True)
class Calendar:
    """A date written by a CLDR pattern: ``Calendar(day, "MMMM y")`` is “mars 2024”."""

    value: dt.date
    pattern: str


@dataclass(frozen=True)
class ByLanguage:
    """A text that data carry in each language, such as the name of a country."""

    texts: Mapping[str, str]


@dataclass(frozen=True)
class Message:
    """A sentence that can be told in any of `LANGUAGES`.

    Attributes:
        msgid: The English sentence, with ``{name}`` placeholders.
        params: What fills the placeholders; figures, dates and nested messages are written
            the way the language writes them.
        plural: The English plural, where the sentence counts something.
        n: The count that chooses between singular and plural.

    Examples:
        >>> message = msg("Kept: {share}", share=Percent(0.7))
        >>> message.text("en")
        'Kept: 70.0%'
    """

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)
    plural: str | None = None
    n: int | None = None

    def text(self, language: str = "en") -> str:
        """Word the message in a language.

        Args:
            language: One of `LANGUAGES`.

        Returns:
            The sentence.
        """
        catalogue = _catalogue(language)
        if self.plural is not None and self.n is not None:
            pattern = catalogue.ngettext(self.msgid, self.plural, self.n)
        else:
            pattern = catalogue.gettext(self.msgid)
        if not self.params:
            return pattern
        return pattern.format(
            **{key: written(value, language) for key, value in self.params.items()}
        )

    def __str__(self) -> str:
        return self.text("en")


def msg(msgid: str, /, **params: Any) -> Message:
    """Make a message; its first argument is what gettext extracts."""
    return Message(msgid, params)


def nmsg(singular: str, plural: str, n: int, /, **params: Any) -> Message:
    """Make a message that counts; ``{n}`` is the count."""
    return Message(singular, {"n": n, **params}, plural, n)


def in_days(n: int) -> Message:
    """A number of days, for a sentence that counts something else as well."""
    return nmsg("{n} day", "{n} days", n)


def between(low: Any, high: Any) -> Message:
    """The ends of an interval.

    Examples:
        >>> print(between(Percent(0.1, 0), Percent(0.2, 0)))
        10% to 20%
    """
    return msg("{low} to {high}", low=low, high=high)


def in_turn(sentences: Sequence[Message]) -> Message:
    """Sentences one after another.

    Args:
        sentences: At least one, each with its full stop.

    Examples:
        >>> print(in_turn([msg("Nobody came."), msg("Nobody left.")]))
        Nobody came. Nobody left.
    """
    return reduce(
        lambda before, last: msg("{first} {second}", first=before, second=last), sentences
    )


def clauses(phrases: Iterable[str], language: str) -> str:
    """Put phrases on one line, parted by the semicolon of the language.

    Args:
        phrases: Phrases that are already in the language.
        language: One of `LANGUAGES`.

    Returns:
        The line; empty without a phrase.

    Examples:
        >>> clauses(["one", "two"], "en")
        'one; two'
    """
    return msg("; ").text(language).join(phrases)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language not in LANGUAGES:
        raise ValueError(f"no language {language!r}; there is {', '.join(LANGUAGES)}")
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("revoir", CATALOGUES, [language], fallback=True)


def locale_of(language: str) -> str:
    """The Babel locale that a language is written in."""
    return _LOCALES[language]


def written(value: Any, language: str) -> str:
    r"""Write a value as the language writes it.

    Args:
        value: A number, date, `Calendar`, `ByLanguage`, `Percent`, `Money`, `Number`, `Message` or
            text.
        language: One of `LANGUAGES`.

    Returns:
        The text; an absent value (None) is an em dash.

    Examples:
        >>> written(1234.5, "fr"), written(Percent(0.7131), "fr")
        ('1\u202f234,5', '71,3\xa0%')
        >>> import datetime
        >>> written(datetime.date(2024, 3, 12), "fr"), written(datetime.date(2024, 3, 12), "en")
        ('12/03/2024', '12 Mar 2024')
    """
    # Babel takes 60 ms to import, and `revoir --help` writes no figure.
    from babel.dates import format_date, format_datetime
    from babel.numbers import format_currency, format_decimal, format_percent

    locale = _LOCALES[language]
    match value:
        case None:
            return "—"
        case str():
            return value
        case Message():
            return value.text(language)
        case bool():
            return msg("yes").text(language) if value else msg("no").text(language)
        case Percent():
            decimals = "." + "0" * value.digits if value.digits else ""
            pattern = f"#,##0{decimals}\xa0%" if language == "fr" else f"#,##0{decimals}%"
            return format_percent(value.value, pattern, locale=locale)
        case Money(currency=None):
            return _fixed(value.value, 2 if value.digits is None else value.digits, locale)
        case Money():
            assert value.currency is not None
            if value.digits is None:
                return format_currency(value.value, value.currency, locale=locale)
            decimals = "." + "0" * value.digits if value.digits else ""
            pattern = f"#,##0{decimals}\xa0¤" if language == "fr" else f"¤#,##0{decimals}"
            return format_currency(
                value.value, value.currency, pattern, locale=locale, currency_digits=False
            )
        case Number():
            text = _fixed(value.value, value.digits, locale)
            return f"+{text}" if value.signed and value.value > 0 else text
        case ByLanguage():
            return value.texts[language]
        case Calendar():
            return format_date(value.value, value.pattern, locale=locale)
        case int() | float() | Decimal():
            return format_decimal(value, locale=locale)
        case dt.datetime():
            return format_datetime(
                value, "dd/MM/yyyy HH:mm" if language == "fr" else "d MMM yyyy HH:mm", locale=locale
            )
        case dt.date():
            return format_date(
                value, "dd/MM/yyyy" if language == "fr" else "d MMM yyyy", locale=locale
            )
        case list() | tuple():
            return ", ".join(written(item, language) for item in value)
    return str(value)


def _fixed(value: float | Decimal, digits: int, locale: str) -> str:
    from babel.numbers import format_decimal

    decimals = "." + "0" * digits if digits else ""
    return str(format_decimal(value, f"#,##0{decimals}", locale=locale))
