"""One comparison of a rule, by the type of its column."""

from __future__ import annotations

import datetime as dt
import operator as op
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.segments.syntax import Comparison, Literal, fault

_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "=": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
}  # fmt: skip
_SEARCHES = ("contains", "not contains", "starts with", "ends with")
_TEXT = ("=", "!=", "in", "not in", *_SEARCHES)

_ACCENTED = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAIN = "aaaaaaceeeeiiiinooooouuuuyaaaaaaceeeeiiiinooooouuuuyyabcdefghijklmnopqrstuvwxyz"


def compared(
    atom: Comparison,
    column: ir.Column,
    values: Sequence[Literal],
    text: str,
    *,
    day_of: Callable[[ir.Value], ir.DateValue],
    months: bool = False,
) -> ir.BooleanValue:
    """A comparison as an Ibis condition; it is null where the column is.

    Args:
        atom: The comparison.
        column: What its name stands for.
        values: What it is compared with.
        text: The rule, to show the place of an error.
        day_of: Gives the day of a time (`Book.day_of`).
        months: Whether the column holds first days of months.

    Returns:
        The condition.

    Raises:
        UsageError: The values do not go with the column's type.
    """
    kind = column.type()
    if kind.is_string():
        return _text(atom, column, values, text)
    if atom.operator in _SEARCHES:
        raise fault(
            text,
            atom.span,
            msg("“{name}” is not text.", name=atom.name.raw[:60]),
            msg("Compare it with =, >= or between."),
        )
    if kind.is_boolean():
        return _boolean(atom, column, values, text)
    if kind.is_numeric():
        return _ordered(atom, *_numbers(atom, column, values, text))
    if kind.is_date() or kind.is_timestamp():
        days = [_day(atom, value, text, months) for value in values]
        return _ordered(atom, day_of(column), days)
    raise fault(
        text,
        atom.span,
        msg("“{name}” holds values that cannot be compared.", name=atom.name.raw[:60]),
    )


def _text(
    atom: Comparison, column: ir.Column, values: Sequence[Literal], text: str
) -> ir.BooleanValue:
    if atom.operator not in _TEXT:
        raise fault(
            text,
            atom.span,
            msg(
                "“{name}” is text, which {operator} does not compare.",
                name=atom.name.raw[:60],
                operator=atom.operator,
            ),
            msg("Use =, !=, in, contains, starts with or ends with."),
        )
    # A number, a date or a yes is taken as it is written: a postcode keeps its zero.
    written = [str(value.value) if value.kind == "text" else value.raw for value in values]
    if atom.operator in _SEARCHES:
        searched, part = _folded(column), _folded(ibis.literal(written[0]))
        match atom.operator:
            case "contains":
                return searched.contains(part)
            case "not contains":
                return ~searched.contains(part)
            case "starts with":
                return searched.startswith(part)
        return searched.endswith(part)
    return _equal(atom, column, written)


def _folded(text: ir.StringValue) -> ir.StringValue:
    """Text without case and accents, by the same table on every engine."""
    return text.translate(_ACCENTED, _PLAIN)


def _equal(atom: Comparison, column: ir.Column, values: Sequence[Any]) -> ir.BooleanValue:
    match atom.operator:
        case "in":
            return column.isin(list(values))
        case "not in":
            return column.notin(list(values))
    return _ORDERS[atom.operator](column, values[0])


def _ordered(atom: Comparison, column: ir.Column, values: Sequence[Any]) -> ir.BooleanValue:
    match atom.operator:
        case "between":
            return (column >= values[0]) & (column <= values[1])
        case "not between":
            return (column < values[0]) | (column > values[1])
        case "in":
            return reduce(op.or_, [column == value for value in values])
        case "not in":
            return reduce(op.and_, [column != value for value in values])
    return _ORDERS[atom.operator](column, values[0])


def _boolean(
    atom: Comparison, column: ir.Column, values: Sequence[Literal], text: str
) -> ir.BooleanValue:
    if atom.operator not in ("=", "!=", "in", "not in"):
        raise fault(
            text,
            atom.span,
            msg("“{name}” is yes or no.", name=atom.name.raw[:60]),
            msg("Write: {name} = yes.", name=atom.name.raw[:60]),
        )
    for value in values:
        if value.kind != "boolean":
            raise _mismatch(
                text,
                value,
                msg("“{name}” is yes or no.", name=atom.name.raw[:60]),
                msg("Write yes or no."),
            )
    wanted = {bool(value.value) for value in values}
    if atom.operator in ("!=", "not in"):
        wanted = {True, False} - wanted
    if len(wanted) == 2:
        return column.notnull()
    if not wanted:
        return ibis.literal(False)
    return column if wanted == {True} else ~column


def _numbers(
    atom: Comparison, column: ir.Column, values: Sequence[Literal], text: str
) -> tuple[ir.Column, list[ir.Scalar]]:
    """The column and the numbers it is compared with, in one type of the engine."""
    for value in values:
        if value.kind != "number":
            raise _mismatch(
                text,
                value,
                msg("“{name}” is a number.", name=atom.name.raw[:60]),
                msg("Write the number without quotes, with a decimal point."),
            )
    numbers: list[Any] = [value.value for value in values]
    kind = column.type()
    if kind.is_floating():
        return column, [ibis.literal(float(number)) for number in numbers]
    if kind.is_integer() and all(isinstance(number, int) for number in numbers):
        return column, [ibis.literal(number, type="int64") for number in numbers]
    # Wide enough for any amount and any number of a rule; Ibis compares equal scales only.
    exact = "decimal(38, 6)"
    return column.cast(exact), [ibis.literal(Decimal(n), type=exact) for n in numbers]


def _day(atom: Comparison, value: Literal, text: str, months: bool) -> ir.Scalar:
    name = atom.name.raw[:60]
    if value.kind == "text":
        try:
            return ibis.literal(dt.date.fromisoformat(str(value.value)))
        except ValueError:
            pass
    if value.kind == "date" or (value.kind == "month" and (months or atom.operator in (">=", "<"))):
        return ibis.literal(value.value, type="date")
    if value.kind == "month":
        raise _mismatch(
            text,
            value,
            msg("“{name}” is a day, and this is a month.", name=name),
            msg("Write: {name} between 2024-01-01 and 2024-01-31.", name=name),
        )
    raise _mismatch(
        text, value, msg("“{name}” is a date.", name=name), msg("Write dates as 2024-01-31.")
    )


def _mismatch(text: str, value: Literal, what: Message, remedy: Message) -> UsageError:
    return fault(text, value.span, what, remedy)
