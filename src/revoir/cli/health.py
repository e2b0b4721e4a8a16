"""The health scores of `revoir signals --health`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.cli.common import T, say, write_json, write_rows
from revoir.cli.lists import SHOWN_MAX, contact_headings, with_contacts, write_customers
from revoir.language import Message, Number, Percent, msg, nmsg

if TYPE_CHECKING:
    from revoir.signals import Health
    from revoir.signals.health import Check


def answer_health(
    found: Health, horizon: int | None, form: str, output: Path | None, code: str
) -> None:
    """Write the scores of all customers, the least healthy first, and how the score did.

    Args:
        found: The scores.
        horizon: Within how many days departures count (None: the activity window).
        form: "table", "csv" or "json".
        output: Where to write the customers to (None: nowhere).
        code: The language.
    """
    if found.reason is not None:
        if form == "json":
            write_json({"reason": found.reason.text(code), "customers": []})
        else:
            say(found.reason.text(code))
        return
    check = found.check(horizon)
    table = found.customers.order_by("health", "customer_id")
    people = with_contacts(found.book, found.book.columns(table))
    rows = people.to_pylist()
    if form == "json":
        write_json(_health_whole(found, check, code) | {"customers": rows})
    elif form == "csv":
        write_rows(rows, "csv") if rows else print(",".join(people.column_names))
    else:
        _print_health(found, check, rows, people.column_names, code)
    if output is not None:
        write_customers(rows, people.column_names, output, code)


def _health_whole(found: Health, check: Check, code: str) -> dict[str, Any]:
    return {
        "as_of": found.book.as_of,
        "active": found.active,
        "parts": [
            {
                "part": part.name,
                "label": part.label.text(code),
                "meaning": part.meaning.text(code),
                "weight": part.weight,
            }
            for part in found.parts
        ],
        "check": {
            "day": check.day,
            "horizon_days": check.horizon_days,
            "bands": [
                {
                    "low": band.low, "high": band.high, "customers": band.customers,
                    "left": band.left, "share": band.share, "interval": list(band.interval),
                }
                for band in check.bands
            ],
            "auc": check.auc,
            "difference": list(check.difference) if check.difference else None,
            "sentence": check.sentence().text(code),
            "reason": check.reason.text(code) if check.reason else None,
        },
    }  # fmt: skip


def _print_health(
    found: Health, check: Check, rows: list[dict[str, Any]], columns: Sequence[str], code: str
) -> None:
    print(_scored(found, len(rows)).text(code))
    parts = {part.name: part.label.text(code) for part in found.parts}
    named = contact_headings() | {"health": T("Health")} | parts
    shown = []
    for row in rows[:SHOWN_MAX]:
        points = {name: _points(row[name], row[f"{name}_of"]) for name in parts}
        shown.append({**row, "health": Number(row["health"], 0), **points})
    if shown:
        write_rows(shown, "table", [(name, named[name]) for name in columns if name in named])
    if len(rows) > SHOWN_MAX:
        more = msg(
            "The first {shown} of {n} customers; -o writes them all to a file.",
            shown=SHOWN_MAX,
            n=len(rows),
        )
        say(more.text(code))
    print(check.sentence().text(code))
    bands = [
        {
            "scores": msg("{low} to {high}", low=band.low, high=band.high),
            "customers": band.customers,
            "left": msg(
                "{share} ({low}–{high})",
                share=Percent(band.share, 0),
                low=Percent(band.interval[0], 0),
                high=Percent(band.interval[1], 0),
            ),
        }
        for band in check.bands
    ]
    if bands:
        headings = [("scores", T("Score then")), ("customers", T("Customers")), ("left", T("Left"))]
        write_rows(bands, "table", headings)
    for part in found.parts:
        say(msg("{label}: {told}", label=part.label, told=part.meaning).text(code))


def _scored(found: Health, scored: int) -> Message:
    """How many of those who are active have a score."""
    if not found.active:
        return msg("No customer is active at the end of {day}.", day=found.book.as_of)
    if not scored:
        return nmsg(
            "Not enough data: of the {n} customer active at the end of {day} nothing is known that"
            " the score is made of.",
            "Not enough data: of the {n} customers active at the end of {day} nothing is known that"
            " the score is made of.",
            found.active,
            day=found.book.as_of,
        )
    return msg(
        "Active customers with a score at the end of {day}: {n} of {there}; the least healthy"
        " first.",
        n=scored,
        there=found.active,
        day=found.book.as_of,
    )


def _points(points: float | None, most: float | None) -> Message | None:
    """What a part adds to the score, of what it could add."""
    if points is None or most is None:
        return None
    return msg("{points} of {most}", points=Number(points, 0), most=Number(most, 0))
