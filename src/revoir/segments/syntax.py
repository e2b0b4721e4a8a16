"""The rule language: text in, a tree out. It is read here and is never run as Python.

A rule is made of comparisons joined by `and`, `or`, `not` and brackets; French words are as good:

    orders.last_365_days >= 3 and city = "Tours"
    pays dans («France», «Belgique») et non (segment = "lost")
    email is known and name contains "du"
    first_order between 2024-01-01 and 2024-06-30

A name is a column as the file or Revoir calls it, case and accents ignored; one with spaces goes
in square brackets or backquotes: `[date d'achat]`.
Text goes in "…", '…', «…» or “…”; a quote within is doubled.
Dates are 2024-01-31, or 2024-01 for a month. Numbers have a decimal point. `and` binds closer
than `or`. How unknown values count: see `revoir.segments.rules`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.tables import plain_name

LENGTH_MAX = 4_000
"""Longest rule, in characters."""
DEPTH_MAX = 40
"""Deepest brackets and negations."""
COMPARISONS_MAX = 200
"""Most comparisons and listed values in one rule."""


@dataclass(frozen=True)
class Span:
    """A place in the text of a rule: the first character and the one after the last."""

    start: int
    end: int


@dataclass(frozen=True)
class Name:
    """The name of a column or a figure, its parts written by `plain_name`."""

    parts: tuple[str, ...]
    raw: str
    span: Span

    @property
    def text(self) -> str:
        """The parts joined by points."""
        return ".".join(self.parts)


@dataclass(frozen=True)
class Literal:
    """A value: text, a number, a day, the first day of a month, or yes and no.

    Attributes:
        kind: "text", "number", "date", "month" or "boolean".
        value: The value.
        raw: As the rule writes it, without quotes.
        span: Where.
    """

    kind: str
    value: str | int | Decimal | dt.date | bool
    raw: str
    span: Span


@dataclass(frozen=True)
class Comparison:
    """A name compared with values.

    Attributes:
        name: What is compared.
        operator: "=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "not between",
            "contains", "not contains", "starts with", "ends with".
        values: With what.
        span: Where.
    """

    name: Name
    operator: str
    values: tuple[Literal, ...]
    span: Span


@dataclass(frozen=True)
class Known:
    """Whether a name has a value; `known` says which is asked for."""

    name: Name
    known: bool
    span: Span


@dataclass(frozen=True)
class Truth:
    """A column of yes and no, standing by itself."""

    name: Name
    span: Span


@dataclass(frozen=True)
class Not:
    """What its node does not say."""

    node: Node


@dataclass(frozen=True)
class All:
    """Every one of its nodes."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """At least one of its nodes."""

    nodes: tuple[Node, ...]


Atom = Comparison | Known | Truth
Node = Comparison | Known | Truth | Not | All | Either


@dataclass(frozen=True)
class Rule:
    """A rule that was read: its text and its tree."""

    text: str
    root: Node

    def names(self) -> list[Name]:
        """Every name in it, in the order of the text."""
        return [atom.name for atom in atoms(self.root)]


def atoms(node: Node) -> Iterator[Atom]:
    """The comparisons of a tree, from left to right."""
    match node:
        case Not():
            yield from atoms(node.node)
        case All() | Either():
            for child in node.nodes:
                yield from atoms(child)
        case _:
            yield node


def fault(text: str, span: Span, what: Message, remedy: Message | None = None) -> UsageError:
    """An error that shows its place in a rule, in one line.

    Args:
        text: The rule.
        span: The place.
        what: What is wrong there.
        remedy: What to write instead.

    Returns:
        The error, to be raised.
    """
    before = text[max(0, span.start - 30) : span.start]
    after = text[span.end : span.end + 30]
    marked = f"{before}>>{text[span.start : span.end][:60]}<<{after}"
    marked = "".join(c if c.isprintable() else " " for c in marked).strip()
    return UsageError(
        msg("The rule is not clear at {marked}: {what}", marked=marked, what=what), remedy=remedy
    )


def parse(text: str) -> Rule:
    """Read a rule.

    Args:
        text: The rule as it was written.

    Returns:
        Its tree.

    Raises:
        UsageError: It cannot be read; the message shows where.

    Examples:
        >>> parse('city = "Tours" or not consent').root.nodes[0].values[0].value
        'Tours'
    """
    if len(text) > LENGTH_MAX:
        raise UsageError(
            msg(
                "The rule has {n} characters, {most} at most can be read.",
                n=len(text),
                most=LENGTH_MAX,
            )
        )
    return Rule(text, _Parser(text).rule())


@dataclass(frozen=True)
class _Token:
    kind: str  # name, number, date, month, text, sign, end
    value: str
    span: Span


_TOKENS = re.compile(
    r"""(?P<space>\s+)
      | (?P<date>\d{4}-\d{1,2}-\d{1,2}(?![\w-]))
      | (?P<month>\d{4}-\d{2}(?![\w-]))
      | (?P<number>-?\d+(?:\.\d+)?(?![\w./]))
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*'|«[^»]*»|“[^”]*”)
      | (?P<quoted>\[[^\]\[]*\]|`[^`]*`)
      | (?P<sign>!=|<>|<=|>=|==|≠|≤|≥|=|<|>|\(|\)|,|;)""",
    re.VERBOSE,
)
_SIGNS = {"<>": "!=", "≠": "!=", "≤": "<=", "≥": ">=", "==": "=", ";": ","}
_ORDERS = ("=", "!=", "<", "<=", ">", ">=")

_AND, _OR, _NOT = {"and", "et"}, {"or", "ou"}, {"not", "non", "pas"}
_IN = {"in", "dans", "parmi"}
_IS = {"is", "est"}
_BETWEEN = {"between", "entre"}
_CONTAINS = {"contains", "contient", "contain"}
_STARTS, _ENDS = {"starts", "commence"}, {"ends", "finit"}
_WITH = {"with", "par"}
_KNOWN = {"known", "connu", "connue", "connus", "connues"}
_UNKNOWN = {
    "unknown", "empty", "null", "missing", "vide", "vides", "inconnu", "inconnue", "inconnus",
    "inconnues",
}  # fmt: skip
_BOOLEANS = {
    "yes": True, "true": True, "oui": True, "vrai": True,
    "no": False, "false": False, "non": False, "faux": False,
}  # fmt: skip
_OPENINGS = {
    '"': msg("the text is not closed by a quote."),
    "'": msg("the text is not closed by a quote."),
    "«": msg("the text is not closed by a quote."),
    "“": msg("the text is not closed by a quote."),
    "[": msg("the name is not closed by a square bracket."),
    "`": msg("the name is not closed by a backquote."),
}


def _tokens(text: str) -> list[_Token]:
    """Cut a rule into tokens, the last one marking its end."""
    for place, letter in enumerate(text):
        if letter not in "\t\n\r" and unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Co"):
            raise fault(
                text, Span(place, place + 1), msg("there is a character that nobody can see.")
            )
    tokens, place = [], 0
    while place < len(text):
        found = _TOKENS.match(text, place)
        if found is None:
            raise _unreadable(text, place)
        kind = found.lastgroup or ""
        span, value = Span(place, found.end()), found[0]
        place = found.end()
        if kind == "text":
            quote, value = value[0], value[1:-1]
            value = value.strip() if quote == "«" else value.replace(quote * 2, quote)
        elif kind == "quoted":
            value = value[1:-1]
        elif kind == "sign":
            value = _SIGNS.get(value, value)
        if kind != "space":
            tokens.append(_Token(kind, value, span))
    return [*tokens, _Token("end", "", Span(len(text), len(text)))]


def _unreadable(text: str, place: int) -> UsageError:
    letter = text[place]
    span = Span(place, place + 1)
    if letter in _OPENINGS:
        return fault(text, Span(place, min(len(text), place + 30)), _OPENINGS[letter])
    if letter.isdigit():
        end = place + len(re.split(r"[^\w.,/-]", text[place:], maxsplit=1)[0])
        return fault(
            text,
            Span(place, end),
            msg("this is neither a number nor a date."),
            msg("Write numbers as 12.5, dates as 2024-01-31, and text between quotes."),
        )
    return fault(text, span, msg("the sign “{sign}” means nothing in a rule.", sign=letter))


class _Parser:
    """Reads tokens from left to right; each method reads one kind of phrase."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0
        self.values = 0

    def rule(self) -> Node:
        if self._token.kind == "end":
            raise UsageError(
                msg("The rule is empty."), remedy=msg('Write one such as: city = "Tours".')
            )
        node = self._either(0)
        if self._token.kind != "end":
            raise self._fault(
                msg("the rule should end here or go on with “and” or “or”."),
                msg("Put text between quotes, and names with spaces between square brackets."),
            )
        return node

    @property
    def _token(self) -> _Token:
        return self.tokens[self.place]

    def _word(self, ahead: int = 0) -> str:
        """The word at a place without case and accents, empty where there is none."""
        token = self.tokens[min(self.place + ahead, len(self.tokens) - 1)]
        return plain_name(token.value.lower()) if token.kind == "name" else ""

    def _takes(self, words: set[str]) -> bool:
        if self._word() in words:
            self.place += 1
            return True
        return False

    def _fault(self, what: Message, remedy: Message | None = None) -> UsageError:
        return fault(self.text, self._token.span, what, remedy)

    def _either(self, depth: int) -> Node:
        nodes = [self._all(depth)]
        while self._takes(_OR):
            nodes.append(self._all(depth))
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def _all(self, depth: int) -> Node:
        nodes = [self._one(depth)]
        while self._takes(_AND):
            nodes.append(self._one(depth))
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _one(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self._fault(msg("brackets and negations go deeper than {n}.", n=DEPTH_MAX))
        if self._takes(_NOT):
            return Not(self._one(depth + 1))
        if self._sign("("):
            node = self._either(depth + 1)
            if not self._sign(")"):
                raise self._fault(msg("a closing bracket is missing."))
            return node
        return self._atom()

    def _sign(self, sign: str) -> bool:
        if self._token.kind == "sign" and self._token.value == sign:
            self.place += 1
            return True
        return False

    def _atom(self) -> Atom:
        name = self._name()
        self._counted()
        start = name.span.start
        if self._token.kind == "sign" and self._token.value in _ORDERS:
            operator = self._token.value
            self.place += 1
            return Comparison(name, operator, (self._literal(),), self._since(start))
        if self._takes(_IS):
            known = self._known()
            return Known(name, known, self._since(start))
        negated = self._negation()
        prefix = "not " if negated else ""
        if self._takes(_IN):
            return Comparison(name, prefix + "in", self._list(), self._since(start))
        if self._takes(_BETWEEN):
            low = self._literal()
            if not self._takes(_AND):
                raise self._fault(msg("“between” needs “and” and a second value."))
            return Comparison(name, prefix + "between", (low, self._literal()), self._since(start))
        if self._takes(_CONTAINS):
            return Comparison(name, prefix + "contains", (self._literal(),), self._since(start))
        if not negated and self._word() in _STARTS | _ENDS and self._word(1) in _WITH:
            operator = "starts with" if self._word() in _STARTS else "ends with"
            self.place += 2
            return Comparison(name, operator, (self._literal(),), self._since(start))
        if negated or not self._ends_atom():
            raise self._fault(
                msg("a comparison such as =, >=, in, contains, between or “is known” is missing.")
            )
        return Truth(name, name.span)

    def _ends_atom(self) -> bool:
        token = self._token
        return (
            token.kind == "end"
            or (token.kind == "sign" and token.value == ")")
            or self._word() in _AND | _OR
        )

    def _negation(self) -> bool:
        """Reads “not”, “pas”, “does not”, “ne … pas” before a verb."""
        if self._word() in _NOT and self._word(1) in _IN | _BETWEEN | _CONTAINS:
            self.place += 1
            return True
        if self._word() in ("does", "do") and self._word(1) == "not":
            self.place += 2
            return True
        if self._word() == "ne" and self._word(1) in _CONTAINS and self._word(2) == "pas":
            # “ne contient pas”: leave the verb where it is read next.
            verb = self.tokens[self.place + 1]
            self.tokens[self.place : self.place + 3] = [verb]
            return True
        return False

    def _known(self) -> bool:
        negated = self._takes(_NOT)
        if self._takes(_KNOWN):
            return not negated
        if self._takes(_UNKNOWN):
            return negated
        raise self._fault(
            msg("after “is” comes “known” or “unknown”."), msg("Compare with a value by =.")
        )

    def _since(self, start: int) -> Span:
        return Span(start, self.tokens[self.place - 1].span.end)

    def _counted(self) -> None:
        self.values += 1
        if self.values > COMPARISONS_MAX:
            raise self._fault(
                msg("a rule can hold {n} comparisons and listed values at most.", n=COMPARISONS_MAX)
            )

    def _name(self) -> Name:
        token = self._token
        if token.kind == "quoted":
            parts: tuple[str, ...] = (plain_name(token.value),)
        elif token.kind == "name":
            parts = tuple(plain_name(part) for part in token.value.split("."))
        elif token.kind == "end":
            raise self._fault(msg("something is missing at the end."))
        else:
            raise self._fault(
                msg("a comparison begins with the name of a column."),
                msg('Write, for instance: city = "Tours".'),
            )
        if not all(parts) or len(token.value) > 200:
            raise self._fault(msg("this cannot be the name of a column."))
        self.place += 1
        return Name(parts, token.value, token.span)

    def _list(self) -> tuple[Literal, ...]:
        if not self._sign("("):
            raise self._fault(msg('“in” needs its values between brackets: ("a", "b").'))
        values = [self._literal()]
        while self._sign(","):
            self._counted()
            values.append(self._literal())
        if not self._sign(")"):
            raise self._fault(msg("a comma or a closing bracket is missing."))
        return tuple(values)

    def _literal(self) -> Literal:
        token, word = self._token, self._word()
        value: str | int | Decimal | dt.date | bool
        match token.kind:
            case "text":
                kind, value = "text", token.value
            case "number":
                kind, value = "number", self._number(token.value)
            case "date" | "month":
                kind, value = token.kind, self._date(token.value)
            case "name" if word in _BOOLEANS:
                kind, value = "boolean", _BOOLEANS[word]
            case "name" | "quoted":
                raise self._fault(
                    msg("a value should stand here."), msg("Put text between quotes.")
                )
            case _:
                raise self._fault(msg("a value is missing."))
        self.place += 1
        return Literal(kind, value, token.value, token.span)

    def _number(self, text: str) -> int | Decimal:
        whole, _, decimals = text.lstrip("-").partition(".")
        if len(whole.lstrip("0")) > 13 or len(decimals) > 6:  # amounts are DECIMAL(18, 4)
            raise self._fault(msg("the number is too long: 13 digits and 6 decimals at most."))
        return Decimal(text) if decimals else int(text)

    def _date(self, text: str) -> dt.date:
        year, month, day = (int(part) for part in (text + "-1").split("-")[:3])
        try:
            return dt.date(year, month, day)
        except ValueError:
            raise self._fault(msg("there is no such day in the calendar.")) from None
