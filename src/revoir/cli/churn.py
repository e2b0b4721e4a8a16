"""`revoir churn`: whom to save, how sure that is, why, and how well such lists did."""

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
from revoir.language import Message, Money, Number, Percent, clauses, in_days, msg, nmsg

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from revoir.book import Book
    from revoir.models.churn import AtRisk, Churn

REASONS_MAX = 5_000
"""Customers whose reasons are worked out: more of them nobody reads."""
REASONS_SHOWN = 3

Of = Annotated[
    str | None,
    typer.Option(
        "--of",
        help=T(
            "What leaving is read from: purchases, subscriptions, visits or file (a column that"
            " says who left; default: the first of those in the data)."
        ),
        show_default=False,
    ),
]
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon",
        metavar=T("DAYS"),
        min=1,
        help=T("For subscriptions: within how many days they end (default: 92)."),
        show_default=False,
    ),
]
Rank = Annotated[
    str | None,
    typer.Option(
        "--rank",
        help=T(
            "stake (of those likelier to leave than the average, the most money at stake first) or"
            " risk (the likeliest to leave first)."
        ),
        show_default=False,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        metavar="N",
        min=1,
        help=T("List only so many customers (default: all)."),
        show_default=False,
    ),
]
Attribute = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        metavar=T("COLUMN"),
        help=T("Learn from a column of customers too, which leaving does not change; repeatable."),
        show_default=False,
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar=T("COLUMN"),
        help=T("Do not learn from a feature or column; repeat for several."),
        show_default=False,
    ),
]
Card = Annotated[
    bool,
    typer.Option("--card", help=T("Show the model card: what was learned, and how good it is.")),
]
Survival = Annotated[
    bool,
    typer.Option("--survival", help=T("Show how long customers stay, and what shortens it.")),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar=T("COLUMN"),
        help=T("With --survival: part customers by a column known on their first day."),
        show_default=False,
    ),
]


def churn(
    files: options.Files,
    of: Of = None,
    horizon: Horizon = None,
    rank: Rank = None,
    top: Top = None,
    attribute: Attribute = None,
    without: Without = None,
    card: Card = False,
    survival: Survival = False,
    by: By = None,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    activity_days: options.ActivityDays = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """List the customers to save, with the probability that they leave, and why."""
    code = speak(lang)
    _check(form, output, rank, card=card, survival=survival, by=by)
    spare_inputs(output, files)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, activity_days=activity_days,
        currency=currency, timezone=timezone,
    )  # fmt: skip
    if survival:
        from revoir.cli.churn_sheets import answer_survival
        from revoir.models.survival import survival as follow

        answer_survival(follow(book, by=by, kind=of), form, code)
        return
    from revoir.models.churn import churn as learn

    found = learn(
        book, kind=of, horizon_days=horizon, attributes=attribute or (), without=without or ()
    )
    if card:
        from revoir.cli.churn_sheets import answer_card

        answer_card(found.card, form, code)
        return
    _answer(book, found, rank, top, form, output, code)


def _check(
    form: str,
    output: Path | None,
    rank: str | None,
    *,
    card: bool,
    survival: bool,
    by: str | None,
) -> None:
    """Refuse what cannot be answered before any file is read."""
    from revoir.errors import UsageError

    known_form(form, ("table", "csv", "json"))
    known_output(output)
    if card and survival:
        raise UsageError(
            msg("{options} cannot be asked together.", options=["--card", "--survival"]),
            remedy=msg("Ask for one after the other."),
        )
    if by is not None and not survival:
        raise UsageError(
            msg("{option} goes with {other}.", option="--by", other="--survival"),
            remedy=msg("Leave it out, or add the other."),
        )
    if output is not None and (card or survival):
        raise UsageError(
            msg("{option} writes a list of customers, which was not asked for.", option="-o"),
            remedy=msg("Use {option} and send the answer to a file.", option="--format json"),
        )
    if rank not in (None, "stake", "risk"):
        raise UsageError(
            msg("Customers cannot be ordered by “{order}”.", order=rank),
            remedy=msg("Use {names}.", names=["stake", "risk"]),
        )
    if card and form == "csv":
        raise UsageError(
            msg("A model card is no table."), remedy=msg("Use {names}.", names=["table", "json"])
        )


def _answer(
    book: Book,
    found: Churn,
    rank: str | None,
    top: int | None,
    form: str,
    output: Path | None,
    code: str,
) -> None:
    shown = SHOWN_MAX if form == "table" and output is None else None
    wanted = min(limit for limit in (top, shown, found.customers.num_rows) if limit is not None)
    ranked = found.ranked(rank, wanted, reasons_limit=REASONS_MAX)
    listed = _listed(book, found, ranked, code)
    if form == "json":
        write_json(_whole(found, listed, ranked, rank, code))
    elif form == "csv":
        rows = listed.to_pylist()
        write_rows(rows, "csv") if rows else print(",".join(listed.column_names))
    else:
        _print(book, found, rank, listed, top, code)
    if found.reason is not None and form != "json":
        say(found.reason.text(code))
    if len(ranked) > REASONS_MAX:
        say(
            msg(
                "Why is worked out for the {n} most pressing customers alone.",
                n=Number(REASONS_MAX, 0),
            ).text(code)
        )
    if output is not None:
        write_customers(listed.to_pylist(), listed.column_names, output, code)


def _listed(book: Book, found: Churn, ranked: list[AtRisk], code: str) -> pa.Table:
    """The list as a table, with what is known to reach customers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows: dict[str, Any] = {
        "customer_id": pa.array(
            [one.customer_id for one in ranked], found.customers["customer_id"].type
        ),
        "probability": pa.array([one.probability for one in ranked], pa.float64()),
        "worth": pc.round(pa.array([one.worth for one in ranked], pa.float64()), 2),
        "stake": pc.round(pa.array([one.stake for one in ranked], pa.float64()), 2),
    }
    expected = _expected(book, found, rows["customer_id"])
    if expected is not None:
        rows["expected_12_months"] = expected
    rows["why"] = pa.array([_why(one, code) for one in ranked], pa.string())
    return with_contacts(book, pa.table(rows))


def _expected(book: Book, found: Churn, customers: pa.Array) -> pa.Array | None:
    """What customers are expected to pay within a year, where that can be foretold.

    Sales, whatever the margin: the worth of a year and what is at stake stand beside it.
    """
    import pyarrow.compute as pc

    from revoir.models.clv import clv

    if found.definition.kind != "purchases" or not found.has_worth:
        return None
    ahead = clv(book.with_settings(margin=1.0), model="mbg_nbd", tested=False)
    if ahead.customers is None or ahead.worth is None or ahead.worth.amount is None:
        return None
    place = pc.index_in(customers, value_set=ahead.customers["customer_id"].combine_chunks())
    return pc.round(ahead.customers["clv"].combine_chunks().take(place), 2)


def _why(one: AtRisk, code: str) -> str | None:
    told = [reason.text.text(code) for reason in one.raising[:REASONS_SHOWN]]
    return clauses(told, code) or None


def _whole(
    found: Churn, listed: pa.Table, ranked: list[AtRisk], rank: str | None, code: str
) -> dict[str, Any]:
    card = found.card.record(code)
    return {
        "as_of": card["as_of"],
        "definition": card["definition"],
        "window_days": card["window_days"],
        "model": card["used"],
        "reason": found.reason.text(code) if found.reason else None,
        "there": found.customers.num_rows,
        "record": [line.text(code) for line in _record(found, rank)],
        "warnings": _warnings(found, code),
        "card": card,
        "customers": [
            {
                **row,
                "reasons": [
                    {
                        "theme": reason.theme,
                        "text": reason.text.text(code),
                        "weight": reason.weight,
                        "points": reason.points,
                    }
                    for reason in one.reasons
                ],
            }
            for row, one in zip(listed.to_pylist(), ranked, strict=True)
        ],
    }


def _record(found: Churn, rank: str | None) -> list[Message]:
    from revoir.models.card_words import record_in_words

    return record_in_words(found.card, found.order(rank), found.currency)


def _warnings(found: Churn, code: str) -> list[str]:
    from revoir.models.card_words import warnings_in_words

    return [line.text(code) for line in warnings_in_words(found.card)]


def _print(
    book: Book, found: Churn, rank: str | None, listed: pa.Table, top: int | None, code: str
) -> None:
    from revoir.models.card_words import drivers_in_words, used_in_words

    print(found.definition.text.text(code))
    if found.definition.reason is not None:
        print(found.definition.reason.text(code))
    if found.reason is not None:
        return
    there = found.customers
    probability = there["probability"].to_numpy()
    print(_expected_in_words(found, there.num_rows, float(probability.sum())).text(code))
    for line in (*_record(found, rank), used_in_words(found.card), found.card.refusal):
        if line is not None:
            print(f"- {line.text(code)}")
    told = drivers_in_words(found.card)
    if told is not None:
        print(f"- {told.text(code)}")
    for warning in _warnings(found, code):
        say(warning)
    _print_list(found, listed, code)
    if "expected_12_months" in listed.column_names:
        say(
            msg(
                "Expected in 12 months: sales by MBG/NBD, whatever the margin; `revoir clv` takes"
                " the model that your past shows to be best, and the margin."
            ).text(code)
        )
    if listed.num_rows > SHOWN_MAX or there.num_rows > listed.num_rows:
        counts: dict[str, Any] = {"shown": min(listed.num_rows, SHOWN_MAX), "n": there.num_rows}
        say(
            (
                msg("The first {shown} of {n} customers; -o writes them all to a file.", **counts)
                if top is None
                else msg("The first {shown} of {n} customers.", **counts)
            ).text(code)
        )


def _expected_in_words(found: Churn, there: int, leaving: float) -> Message:
    days = found.definition.window_days
    if days is None:
        return nmsg("{n} customer has not left.", "{n} customers have not left.", there)
    return nmsg(
        "{n} customer is there on {as_of}; expected to leave within {days}: {leaving}.",
        "{n} customers are there on {as_of}; expected to leave within {days}: {leaving}.",
        there,
        as_of=found.book.as_of,
        leaving=Number(leaving, 0),
        days=in_days(days),
    )


def _print_list(found: Churn, listed: pa.Table, code: str) -> None:
    currency = found.currency

    def money(amount: float | None) -> Money | None:
        return None if amount is None else Money(amount, currency, 0)

    rows = [
        {
            **row,
            "probability": Percent(row["probability"], 0),
            "worth": money(row["worth"]),
            "stake": money(row["stake"]),
            "expected_12_months": money(row.get("expected_12_months")),
        }
        for row in listed.slice(0, SHOWN_MAX).to_pylist()
    ]
    named = contact_headings()
    worth = [("worth", T("Worth a year")), ("stake", T("At stake"))] if found.has_worth else []
    if "expected_12_months" in listed.column_names:
        worth.append(("expected_12_months", T("Expected in 12 months")))
    columns = [
        *((name, named[name]) for name in named if name in listed.column_names),
        ("probability", T("Leaves")),
        *worth,
        ("why", T("Why")),
    ]
    write_rows(rows, "table", columns)
