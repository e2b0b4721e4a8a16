"""`revoir actions`: what to do with each customer now, why, and from which figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli import options
from revoir.cli.common import (
    T,
    known_form,
    open_book,
    say,
    spare_inputs,
    speak,
    write_json,
    write_rows,
)
from revoir.cli.lists import (
    SHOWN_MAX,
    Output,
    contact_headings,
    known_output,
    with_contacts,
    write_customers,
)
from revoir.language import Money, msg
from revoir.signals.next_actions import UNMEASURED

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.signals.advising import Asked

Customer = Annotated[
    list[str] | None,
    typer.Option(
        "--customer",
        metavar="ID",
        help=T("Say it of this customer alone; repeat for several."),
        show_default=False,
    ),
]


def actions(
    files: options.Files,
    customer: Customer = None,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    activity_days: options.ActivityDays = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """Say what to do with each customer now, those with most at stake first."""
    code = speak(lang)
    from revoir.signals.advising import next_actions

    known_form(form, ("table", "csv", "json"))
    known_output(output)
    spare_inputs(output, files)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, currency=currency,
        timezone=timezone, activity_days=activity_days,
    )  # fmt: skip
    found = next_actions(book, customer)
    rows, columns = _rows(book, found, code)
    if form == "json":
        write_json(_whole(found, rows, code))
    elif form == "csv":
        write_rows(rows, "csv") if rows else print(",".join(columns))
    else:
        _print(book, found, rows, columns, code)
    if output is not None:
        write_customers(rows, columns, output, code)


def _rows(book: Book, found: Asked, code: str) -> tuple[list[dict[str, Any]], list[str]]:
    """One row an action, with what is known to reach the customer."""
    import pyarrow as pa

    pairs = [(one, action) for one in found.customers for action in one.advice.actions]
    people = with_contacts(book, pa.table({"customer_id": [one.customer_id for one, _ in pairs]}))
    contacts = people.to_pylist() if pairs else []
    rows = [
        {
            **contact,
            "rule": action.rule,
            "action": action.text.text(code),
            "reason": action.reason.text(code),
            "figure": action.figure.text(code) if action.figure is not None else None,
            "stake": one.stake,
        }
        for contact, (one, action) in zip(contacts, pairs, strict=True)
    ]
    return rows, [*people.column_names, "rule", "action", "reason", "figure", "stake"]


def _whole(found: Asked, rows: list[dict[str, Any]], code: str) -> dict[str, Any]:
    return {
        "as_of": found.as_of,
        "looked_at": found.there,
        "actions": rows,
        "held_back": [
            {
                "customer_id": one.customer_id,
                "rule": action.rule,
                "action": action.text.text(code),
                "refusal": refusal.text(code),
            }
            for one in found.customers
            for action, refusal in one.advice.held_back
        ],
        "not_known": [reason.text(code) for reason in found.reasons],
        "note": UNMEASURED.text(code),
    }


def _print(
    book: Book, found: Asked, rows: list[dict[str, Any]], columns: list[str], code: str
) -> None:
    shown = [
        {
            **row,
            "stake": None if row["stake"] is None else Money(row["stake"], book.currency, 0),
        }
        for row in rows[:SHOWN_MAX]
    ]
    named = contact_headings() | {
        "action": T("What to do"), "reason": T("Why"), "figure": T("Figure"),
        "stake": T("At stake"),
    }  # fmt: skip
    if shown:
        write_rows(shown, "table", [(name, named[name]) for name in columns if name in named])
    counts: dict[str, Any] = {"shown": len(shown), "n": len(rows), "there": found.there}
    told = (
        msg("Actions shown: {shown} of {n}; customers looked at: {there}.", **counts)
        if found.as_of is None
        else msg(
            "Actions shown: {shown} of {n}; customers looked at on {day}: {there}.",
            **counts,
            day=found.as_of,
        )
    )
    say(told.text(code))
    for reason in (*found.reasons, UNMEASURED, _CONSENTS):
        say(reason.text(code))


_CONSENTS = msg("Who may be contacted is known from the file of customers alone: look first.")
