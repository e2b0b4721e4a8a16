"""Where persons who are to be forgotten are named in what is written, by whomever.

They are found whole: what goes on with a letter or a digit is the name of somebody else.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from django.db.models import Max, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from revoir_web.common import bulk
from revoir_web.customers.text import phone_spellings

TELLING = 6
"""A text of fewer characters is found in too much that is somebody else's."""
_LONGEST_WRITE = dt.timedelta(hours=1)
"""No transaction is open for longer: what it wrote before is seen by then."""
_READ = 2000
_DEEPEST = 30
"""How deep the groups of a pattern lie at most: `re` goes into each of them."""
# JSON and addresses of pages may write what stands before a name as a letter or a digit.
_ESCAPE = r"(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4})|(?<=%[0-9a-f]{2})"
_ALNUM = r"[^\W_]"
_BLANKS = str.maketrans("_-.+\u00a0", " " * 5)
"""What names of files have in the place of a blank."""
Answer = TypeVar("Answer")


class Finder:
    """Finds any of many texts in others, in a time that does not grow with how many they are.

    Args:
        words: Names, numbers, places: nothing but a letter or a digit makes them another's.
        emails: As `words`; what stands before with a dot or a hyphen belongs to them too.
        phones: No digit stands beside them.
        alike: Letters that count as others.
    """

    def __init__(
        self,
        words: Iterable[str],
        emails: Iterable[str] = (),
        phones: Iterable[str] = (),
        alike: Mapping[int, int] | None = None,
    ) -> None:
        self._alike = alike or {}
        sides = (
            (words, rf"(?<!{_ALNUM})", rf"(?!{_ALNUM})"),
            (emails, rf"(?<!{_ALNUM})(?<!{_ALNUM}[._+-])", rf"(?!{_ALNUM})"),
            (phones, r"(?<!\d)", r"(?!\d)"),
        )
        held = [({self._low(text) for text in texts} - {""}, *marks) for texts, *marks in sides]
        every = set().union(*(texts for texts, _left, _right in held))
        whole = [
            rf"(?:{left}|{_ESCAPE})(?:{_any_of(texts)}){right}"
            for texts, left, right in held
            if texts
        ]
        self._quick = re.compile(_any_of(every)) if every else None
        self._whole = re.compile("|".join(whole))

    def _low(self, text: str) -> str:
        return text.casefold().translate(self._alike)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where one of the texts stands in another: begin and end in its case-folded form."""
        low = self._low(text)
        # Without a look at both sides it is three times as quick, and mostly there is nothing.
        if self._quick is None or self._quick.search(low) is None:
            return
        yield from (match.span() for match in self._whole.finditer(low))

    def found(self, text: str) -> set[str]:
        """Those of the texts that stand in another, as they are compared."""
        low = self._low(text)
        return {low[begin:end] for begin, end in self.places(text)}

    def without(self, text: str) -> str:
        """A text with an ellipsis for each of the texts that it holds."""
        spans = list(self.places(text))
        if not spans:
            return text
        # Some letters are two once their case is folded: ß is ss.
        origin = [at for at, letter in enumerate(text) for _ in letter.casefold()]
        parts, kept = [], 0
        for begin, end in spans:
            parts += [text[kept : origin[begin]], "…"]
            kept = origin[end - 1] + 1
        return "".join([*parts, text[kept:]])


def _any_of(texts: Iterable[str], depth: int = 0) -> str:
    """A pattern for any of the texts, in which they begin together where they begin alike.

    One behind another, each of them would be tried at each letter.
    """
    held = sorted(set(texts))
    common = _begin(held[0], held[-1])
    rests = [text[len(common) :] for text in held]
    more = [rest for rest in rests if rest]
    if not more:
        return re.escape(common)
    if depth < _DEEPEST:
        ways = [_any_of(group, depth + 1) for _letter, group in groupby(more, key=itemgetter(0))]
    else:
        ways = [re.escape(rest) for rest in reversed(more)]
    return f"{re.escape(common)}(?:{'|'.join(ways)}){'?' if len(more) < len(rests) else ''}"


def _begin(one: str, other: str) -> str:
    """The letters with which both begin."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return one[:at]
    return min(one, other, key=len)


@dataclass(frozen=True, eq=False)
class Texts:
    """Rows of a table that may name persons.

    Attributes:
        model: The table.
        fields: The columns of text or JSON to look at.
        moments: Moments by which rows are found that are new, or say something new. None where
            keys grow and what was written stays.
        among: Which rows say anything (None: all).
        named: Whether the columns of a row name one of the persons.
    """

    model: type[Model]
    fields: tuple[str, ...]
    moments: tuple[str, ...] = ()
    among: Q | None = None
    named: Callable[[Erased, Sequence[str]], bool] = lambda found, texts: any(
        found.named_in(plain(text)) for text in texts
    )


@dataclass(frozen=True)
class Erased:
    """The persons to forget, as erasers look for them.

    Attributes:
        ids: Surrogate ids, those merged into them among them.
        keys: Kind and value of every identifier.
        values: Texts that name one of them wherever they stand: addresses, numbers in every way
            of writing, whole names.
        seen: What was found before the transaction.
    """

    ids: list[str]
    keys: list[tuple[str, str]]
    values: list[str] = field(default_factory=list)
    seen: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """What other systems know them by."""
        return frozenset(v for kind, v in self.keys if kind not in ("email", "phone", "person"))

    @cached_property
    def _anywhere(self) -> Finder:
        return self._finder(self.values)

    @cached_property
    def _but_for_numbers(self) -> Finder:
        return self._finder(value for value in self.values if value not in self.numbers)

    @cached_property
    def _by_us(self) -> Finder:
        return Finder(self.ids)

    @cached_property
    def _in_file_names(self) -> Finder:
        # A number is a day, or that of an export.
        telling = (value for value in self.values if not value.isdecimal())
        return self._finder(telling, alike=_BLANKS)

    def _finder(self, values: Iterable[str], alike: Mapping[int, int] | None = None) -> Finder:
        phones = {
            text for kind, value in self.keys if kind == "phone" for text in phone_spellings(value)
        }
        held = set(values)
        emails = {value for value in held - phones if "@" in value}
        return Finder(held - phones - emails, emails, held & phones, alike)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a text names one of them: begin and end in its case-folded form."""
        return self._anywhere.places(text)

    def named_in(self, text: str, *, numbers: bool = True) -> bool:
        """Whether a text names one of them.

        Args:
            text: The text.
            numbers: Whether numbers of other systems count as well.
        """
        finder = self._anywhere if numbers else self._but_for_numbers
        return any(True for _place in finder.places(text))

    def speaks_of(self, text: str) -> bool:
        """Whether a text names one of them, or has their number in Revoir."""
        return self.named_in(text) or any(True for _place in self._by_us.places(text))

    def without(self, text: str) -> str:
        """A text of somebody else, with an ellipsis where it names one of them."""
        return self._anywhere.without(text)

    def in_file_name(self, text: str) -> bool:
        """Whether a text names one of them as names of files do, such as `Ana_Lopez.csv`."""
        return any(True for _place in self._in_file_names.places(text))

    def in_name_of_file(self, text: str) -> set[str]:
        """What a text calls them as names of files do."""
        return self._in_file_names.found(text)

    def without_in_file_name(self, text: str) -> str:
        """A text with an ellipsis where it names one of them as names of files do."""
        return self._in_file_names.without(text)

    def once(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """An answer that holds for as long as its key is the same."""
        if key not in self.seen:
            self.seen[key] = ask()
        answer: Answer = self.seen[key]
        return answer

    def look(self, texts: Texts) -> None:
        """Look through a table while everybody may write to it: `rows` sees to the rest."""
        begun = timezone.now()
        rows = texts.model._default_manager.all()
        last = rows.aggregate(last=Max("pk"))["last"]
        self.seen[texts] = begun, last, list(self._naming(texts, rows))

    def rows(self, texts: Texts) -> list[Any]:
        """The keys of the rows of a table that name one of them."""
        rows = texts.model._default_manager.all()
        begun, last, found = self.seen.get(texts, (None, None, []))
        if begun is not None and texts.moments:
            since = begun - _LONGEST_WRITE
            recent = [Q(**{f"{name}__gte": since}) for name in texts.moments]
            rows = rows.filter(Q(*recent, _connector=Q.OR))
        elif last is not None:
            rows = rows.filter(pk__gt=last)
        return list({*found, *self._naming(texts, rows)})

    def _naming(self, texts: Texts, rows: QuerySet[Any]) -> Iterator[Any]:
        rows = rows if texts.among is None else rows.filter(texts.among)
        columns = [Cast(name, TextField()) for name in texts.fields]
        told = rows.order_by().values_list("pk", *columns).iterator(chunk_size=_READ)
        for pk, *held in told:
            if texts.named(self, [text for text in held if text]):
                yield pk


def plain(text: str) -> str:
    """What JSON says, its letters beyond ASCII written out; any other text as it is."""
    if "\\u" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """The values of a JSON document, each with the name that it stands under."""
    waiting = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, held) for held in value]
        else:
            yield name, value


def delete(rows: QuerySet[Any], keys: Sequence[Any]) -> int:
    """Delete rows, many at a time.

    Returns:
        How many.
    """
    return sum(rows.filter(pk__in=part).delete()[0] for part in bulk.in_parts(keys, 500))
