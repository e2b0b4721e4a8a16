"""`revoir next`: when each customer is likely to buy next, and who is overdue."""

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
from revoir.language import Number, Percent, asked_share, in_days, msg, nmsg

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.models.next_purchase import NextPurchases
    from revoir.models.next_record import Record

Due = Annotated[
    int | None,
    typer.Option(
        "--due",
        metavar=T("DAYS"),
        min=1,
        help=T("List who is likely to buy within so many days, the next one first."),
        show_default=False,
    ),
]
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon",
        metavar=T("DAYS"),
        help=T("How far ahead to look (default: as the data reach back, a year at most)."),
        show_default=False,
    ),
]
Coverage = Annotated[
    float, typer.Option("--coverage", help=T("Share of purchases that the intervals are to hold."))
]


def next_(
    files: options.Files,
    due: Due = None,
    horizon: Horizon = None,
    coverage: Coverage = 0.8,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """Say when each customer is likely to buy next, those who are overdue first."""
    code = speak(lang)
    from revoir.models.next_purchase import next_purchases

    known_form(form, ("table", "csv", "json"))
    known_output(output)
    spare_inputs(output, files)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, timezone=timezone
    )  # fmt: skip
    found = next_purchases(book, horizon_days=horizon, coverage=coverage)
    listed = with_contacts(book, _due(found, due) if due is not None else _overdue_first(found))
    if form == "json":
        write_json(_whole(found, listed, code))
    elif form == "csv":
        _write_csv(listed)
    else:
        _print(found, listed, due, code)
    if found.reason is not None and form != "json":
        say(found.reason.text(code))
    if output is not None:
        write_customers(listed.to_pylist(), listed.column_names, output, code)


def _overdue_first(found: NextPurchases) -> pa.Table:
    """Everybody: overdue customers first, the likeliest to return at the top; others by day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    customers = found.customers
    if found.reason is not None:
        return customers.sort_by([("last_on", "descending"), ("customer_id", "ascending")])
    late = pc.if_else(customers["overdue"], pc.negate(customers["returns"]), 1.0)
    order = pa.table(
        {"late": late, "next_on": customers["next_on"], "who": customers["customer_id"]}
    )
    by = [(name, "ascending") for name in order.column_names]
    return customers.take(pc.sort_indices(order, sort_keys=by))


def _due(found: NextPurchases, days: int) -> pa.Table:
    """Who is more likely than not to buy within so many days, the next one first."""
    return found.due(days).sort_by(
        [("next_on", "ascending"), ("returns", "descending"), ("customer_id", "ascending")]
    )


def _write_csv(listed: pa.Table) -> None:
    rows = listed.to_pylist()
    write_rows(rows, "csv") if rows else print(",".join(listed.column_names))


def _whole(found: NextPurchases, listed: pa.Table, code: str) -> dict[str, Any]:
    rhythm = found.rhythm
    return {
        "as_of": found.as_of,
        "horizon_days": found.horizon_days,
        "coverage": found.coverage,
        "rhythm": None
        if rhythm is None
        else {
            "family": rhythm.family_,
            "parameters": rhythm.parameters_,
            "log_likelihoods": rhythm.log_likelihoods_,
            "customers": rhythm.customers_,
        },
        "pace": {
            "days": found.pace.days.tolist(),
            "usual_days": found.pace.usual.tolist(),
            "customers": found.pace.customers,
            "expected": found.pace.expected,
            "returned": found.pace.returned,
        },
        "customers": listed.to_pylist(),
        "record": None if rhythm is None else _record(found.record, code),
        "reason": found.reason.text(code) if found.reason else None,
    }


def _record(record: Record, code: str) -> dict[str, Any]:
    return {
        "cutoff": record.cutoff,
        "until": record.until,
        "customers": record.customers,
        "awaited": [vars(one) for one in record.awaited],
        "covered": [
            {"level": one.level, "inside": one.inside, "n": one.n, "share": one.share,
             "low": one.interval[0], "high": one.interval[1]}
            for one in record.covered
        ],
        "error_days": record.error_days,
        "overdue": record.overdue,
        "overdue_returned": record.overdue_returned,
        "on_time": record.on_time,
        "on_time_returned": record.on_time_returned,
        "sentences": [sentence.text(code) for sentence in record.sentences()],
        "reason": record.reason.text(code) if record.reason else None,
    }  # fmt: skip


def _print(found: NextPurchases, listed: pa.Table, due: int | None, code: str) -> None:
    import pyarrow.compute as pc

    everybody = found.customers.num_rows
    print(
        nmsg(
            "{n} customer had bought by {as_of}.", "{n} customers had bought by {as_of}.",
            everybody, as_of=found.as_of,
        ).text(code)
    )  # fmt: skip
    if found.reason is None:
        late = pc.sum(found.customers["overdue"]).as_py() or 0
        print(nmsg("{n} is overdue.", "{n} are overdue.", late).text(code))
        if due is not None:
            told = nmsg(
                "{n} is likely to buy within {days}.",
                "{n} are likely to buy within {days}.",
                listed.num_rows,
                days=in_days(due),
            )
            print(told.text(code))
    _print_customers(found, listed, code)
    if listed.num_rows > SHOWN_MAX:
        say(
            msg("The first {shown} of {n} customers; -o writes them all to a file.",
                shown=SHOWN_MAX, n=listed.num_rows).text(code)
        )  # fmt: skip
    if found.rhythm is not None:
        for sentence in found.record.sentences():
            print(sentence.text(code))
    allowed = found.pace.sentence()
    if allowed is not None:
        print(allowed.text(code))


def _print_customers(found: NextPurchases, listed: pa.Table, code: str) -> None:
    rows = listed.slice(0, SHOWN_MAX).to_pylist()
    if not rows:
        return
    shown = [
        {
            **row,
            "usual_days": None if row["usual_days"] is None else Number(row["usual_days"], 0),
            "returns": None if row["returns"] is None else Percent(row["returns"], 0),
            "between": None
            if row["low_on"] is None
            else msg("{low} to {high}", low=row["low_on"], high=row["high_on"]),
        }
        for row in rows
    ]
    named = contact_headings()
    contacts = [name for name in named if name in listed.column_names]
    columns = [
        *((name, named[name]) for name in contacts),
        ("purchase_days", T("Purchase days")),
        ("last_on", T("Last purchase")),
        ("usual_days", T("Usual days between")),
        ("next_on", T("Next purchase, if any")),
        ("between", msg("{share} interval", share=asked_share(found.coverage)).text(code)),
        (
            "returns",
            nmsg("Within {n} day", "Within {n} days", found.horizon_days).text(code),
        ),
        ("overdue", T("Overdue")),
    ]
    write_rows(shown, "table", columns)
