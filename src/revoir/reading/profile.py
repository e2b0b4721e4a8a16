"""What the values of a column look like, from a sample of its cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.reading.raw import RawTable
from revoir.reading.values import is_text, text_of

if TYPE_CHECKING:
    import duckdb

_ROWS_MAX = 1000
_CELLS_MAX = 200_000

_SPACE = "[ \u00a0\u202f\u2009]"
_NUMBER = re.compile(
    rf"\(?[-+−]?{_SPACE}?(?:[€$£]|EUR|USD|GBP|CHF)?{_SPACE}?\d[\d.,'’]*(?:{_SPACE}\d{{3}}[\d.,]*)*"
    rf"{_SPACE}?(?:[€$£%]|EUR|USD|GBP|CHF|CAD|euros?)?\)?-?",
    re.IGNORECASE,
)
_DATES = (
    re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d.*)?"),
    re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})(?:[T ,]+\d.*)?"),
    re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?"),
    re.compile(
        r"(?:\w+\.? )?\d{1,2}(?:er)?[ -]?(?:jan|f[ée]v|feb|mar|avr|apr|mai|may|jui|jun|jul|ao[uû]"
        r"|aug"
        r"|sep|oct|nov|d[ée]c)\w*\.?[ -]?,?(?:\d{4}|\d{2}).*",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?"
        r"(?: \d{1,2},? \d{4}.*|-\d{1,2}-(?:\d{4}|\d{2}))",
        re.IGNORECASE,
    ),
)
_EPOCH = re.compile(r"1\d{9}(?:\.\d+)?|1\d{12}|1\d{15}")
_SERIAL = re.compile(r"[34]\d{4}(?:[.,]\d+)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")
_PHONE = re.compile(r"(?:\+|00|0)[\d .()/\u00a0-]{8,18}|\d{9}")
_YES_NO = frozenset(
    [
        "oui",
        "non",
        "o",
        "n",
        "yes",
        "no",
        "y",
        "true",
        "false",
        "vrai",
        "faux",
        "0",
        "1",
        "0.0",
        "1.0",
        "0,0",
        "1,0",
        "x",
        "t",
        "f",
        "on",
        "off",
        "subscribed",
        "unsubscribed",
        "never_subscribed",
        "abonné",
        "désabonné",
        "optin",
        "optout",
        "ok",
        "churned",
        "stayed",
        "actif",
        "résilié",
        "parti",
        "active",
    ]
)
_NAME = re.compile(r"[^\W\d_][\w'’.-]+(?: [^\W\d_][\w'’.-]*){1,3}")
_MARKED = re.compile(r"'[\d+]")
_EMPTY = frozenset({"", "-", "n/a", "na", "null", "néant", "nan", "none", "nat"})


@dataclass(frozen=True)
class Profile:
    """What a sample of a column holds; shares are of the cells that are not empty.

    Attributes:
        filled: How many sampled cells are not empty.
        rows: How many were sampled.
        distinct: How many different ones there are.
        numbers: Share that are numbers.
        integers: Share that are whole numbers without separators.
        dates: Share that are dates.
        clock_like: Share that are numbers which can be read as a date (seconds since 1970,
            a spreadsheet's day number): only a header can tell.
        emails: Share that are e-mail addresses.
        phones: Share that are telephone numbers.
        booleans: Share that say yes or no.
        names: Share that are two or more words, as names of persons are.
        low: The lowest number.
        high: The highest number.
        length: Mean count of characters.
    """

    filled: int = 0
    rows: int = 0
    distinct: int = 0
    numbers: float = 0.0
    integers: float = 0.0
    dates: float = 0.0
    clock_like: float = 0.0
    emails: float = 0.0
    phones: float = 0.0
    booleans: float = 0.0
    names: float = 0.0
    low: float = 0.0
    high: float = 0.0
    length: float = 0.0
    cells: tuple[str, ...] = ()

    @property
    def unique(self) -> float:
        """Share of different values."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def says_yes_or_no(self) -> bool:
        """Whether its values are a yes and a no; nothing but zeros is a column of amounts."""
        return self.booleans >= 0.95 and (self.numbers < 0.5 or self.high == 1)


def profiles(connection: duckdb.DuckDBPyConnection, raw: RawTable) -> dict[str, Profile]:
    """Profile every column of a raw table from a sample of its rows.

    Returns:
        The profiles by column.
    """
    if not raw.columns:
        return {}
    rows = max(30, min(_ROWS_MAX, _CELLS_MAX // len(raw.columns)))
    cells = ", ".join(
        f"left({text_of(identifier(column), kind)}, 400)"
        for column, kind in zip(raw.columns, raw.types, strict=True)
    )
    sampled = connection.execute(f"SELECT {cells} FROM {raw.relation} LIMIT {rows}").fetchall()
    kinds = dict(zip(raw.columns, raw.types, strict=True))
    columns = list(zip(*sampled, strict=True)) if sampled else [()] * len(raw.columns)
    return {
        column: _profile(cells, kinds[column])
        for column, cells in zip(raw.columns, columns, strict=True)
    }


def _profile(cells: Sequence[str | None], sql_type: str) -> Profile:
    texts = [cell.strip(" \t\u00a0\u202f\u200b\ufeff") for cell in cells if cell is not None]
    # Spreadsheets mark figures that are text with an apostrophe.
    texts = [text[1:] if _MARKED.match(text) else text for text in texts]
    texts = [text for text in texts if text.lower() not in _EMPTY]
    if not texts:
        return Profile(rows=len(cells))
    count = len(texts)

    def share(held: int) -> float:
        return held / count

    numbers = [text for text in texts if _NUMBER.fullmatch(text)]
    dates = sum(any(pattern.fullmatch(text) for pattern in _DATES) for text in texts)
    values = [value for text in numbers[:500] if (value := _roughly(text)) is not None]
    dated = sql_type.upper().startswith(("DATE", "TIMESTAMP"))
    return Profile(
        filled=count,
        rows=len(cells),
        distinct=len(set(texts)),
        numbers=0.0 if dated else share(len(numbers)),
        integers=share(sum(text.lstrip("-").isdecimal() for text in texts)),
        dates=1.0 if dated else share(dates),
        clock_like=share(
            sum(bool(_EPOCH.fullmatch(text) or _SERIAL.fullmatch(text)) for text in texts)
        ),
        emails=share(sum(bool(_EMAIL.search(text)) for text in texts)),
        phones=share(sum(bool(_PHONE.fullmatch(text)) for text in texts)),
        booleans=1.0
        if sql_type.upper() == "BOOLEAN"
        else share(sum(text.lower() in _YES_NO for text in texts)),
        names=share(sum(bool(_NAME.fullmatch(text)) for text in texts)),
        low=min(values, default=0.0),
        high=max(values, default=0.0),
        length=sum(map(len, texts)) / count,
        cells=tuple(texts[:1000]) if is_text(sql_type) else (),
    )


def _roughly(text: str) -> float | None:
    digits = re.sub(r"[^\d.,-]", "", text.replace("−", "-").replace("(", "-")).replace(",", ".")
    try:
        return float(digits)
    except ValueError:
        return None
