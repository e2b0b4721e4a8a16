"""`revoir segments`: RFM segments, who moved between them, and rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli import options
from revoir.cli.common import (
    T,
    day,
    known_form,
    language,
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
from revoir.language import Money, Number, Percent, msg, nmsg

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revoir.book import Book
    from revoir.segments.rfm import Cutoffs, Movement, Rfm

Rule = Annotated[
    str | None,
    typer.Option(
        "--rule",
        metavar=T("RULE"),
        help=T('List the customers who meet a rule: orders.last_365_days >= 3 and city = "Tours"'),
        show_default=False,
    ),
]
Bins = Annotated[int, typer.Option("--bins", help=T("How many scores there are, 2 to 10."))]
FixedCutoffs = Annotated[
    list[str] | None,
    typer.Option(
        "--cutoffs",
        metavar="MEASURE=N,N,…",
        help=T("Fixed cut-offs for days_since_last, frequency or monetary; repeat for several."),
        show_default=False,
    ),
]
Compare = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="DATE",
        help=T("Say who changed segments since that day."),
        show_default=False,
    ),
]
Listed = Annotated[
    str | None,
    typer.Option(
        "--list",
        metavar=T("SEGMENT"),
        help=T("List the customers of a segment."),
        show_default=False,
    ),
]


def segments(
    files: options.Files,
    rule: Rule = None,
    bins: Bins = 5,
    cutoffs: FixedCutoffs = None,
    compare: Compare = None,
    listed: Listed = None,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    currency: options.Currency = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """Sort customers into RFM segments, say who moved, or list those who meet a rule."""
    code = speak(lang)
    from revoir.segments.names import segment_named
    from revoir.segments.rfm import movement, rfm
    from revoir.segments.syntax import parse

    _check_options(form, output, rule=rule, compare=compare, listed=listed)
    spare_inputs(output, files)
    read_rule = parse(rule) if rule is not None else None
    segment = segment_named(listed).key if listed is not None else None
    fixed, since = _fixed(cutoffs), day(compare, "--compare")
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, currency=currency,
        timezone=timezone,
    )  # fmt: skip
    if read_rule is not None:
        _answer_rule(book, read_rule, rule or "", form, output, code)
    elif since is not None:
        moves = movement(book, since, bins=bins, cutoffs=fixed)
        _answer_movement(book, moves, form, output, code)
    else:
        scores = rfm(book, bins=bins, cutoffs=fixed)
        if segment is not None:
            _answer_members(book, scores, segment, form, output, code)
        else:
            _answer_summary(book, scores, form, output, code)


def _check_options(form: str, output: Path | None, **one_of: str | None) -> None:
    """Refuse what cannot be answered before any file is read."""
    from revoir.errors import UsageError

    given = [f"--{'list' if name == 'listed' else name}" for name, value in one_of.items() if value]
    if len(given) > 1:
        raise UsageError(
            msg("{options} cannot be asked together.", options=given),
            remedy=msg("Ask for one after the other."),
        )
    known_form(form, ("table", "csv", "json"))
    known_output(output)


def _fixed(cutoffs: Sequence[str] | None) -> dict[str, list[Any]] | None:
    """Read ``frequency=1,2,4,8`` options."""
    from decimal import Decimal, InvalidOperation

    from revoir.errors import UsageError

    if not cutoffs:
        return None
    fixed: dict[str, list[Any]] = {}
    for option in cutoffs:
        name, _, values = option.partition("=")
        try:
            numbers = [Decimal(value.strip()) for value in values.split(",")]
            if not all(abs(number) < 10**13 for number in numbers):
                raise InvalidOperation
        except InvalidOperation:
            raise UsageError(
                msg("The cut-offs “{option}” are not numbers.", option=option),
                remedy=msg("Write, for instance: {example}.", example="frequency=1,2,4,8"),
            ) from None
        fixed[name.strip()] = [int(n) if n == n.to_integral_value() else n for n in numbers]
    return fixed


def _answer_summary(book: Book, scores: Rfm, form: str, output: Path | None, code: str) -> None:
    rows = _summary_rows(scores, code)
    if form == "json":
        write_json(
            {
                "as_of": scores.as_of,
                "customers": scores.count,
                "bins": scores.bins,
                "cutoffs": _cutoffs(scores.cutoffs),
                "segments": rows,
                "reason": scores.reason.text(code) if scores.reason else None,
                "note": scores.note.text(code) if scores.note else None,
            }
        )
    elif form == "csv":
        write_rows(rows, "csv")
    else:
        _print_summary(book, scores, rows, code)
    for message in (scores.reason, scores.note):
        if message is not None and form != "json":
            say(message.text(code))
    if output is not None:
        _write_everyone(book, scores.customers.order_by("customer_id"), output, code)


def _summary_rows(scores: Rfm, code: str) -> list[dict[str, Any]]:
    from revoir.segments.names import SEGMENTS

    return [
        {
            "segment": row.segment,
            "label": SEGMENTS[row.segment].label.text(code),
            "customers": row.customers,
            "share": row.share,
            "revenue": None if row.revenue is None else float(row.revenue),
            "revenue_share": row.revenue_share,
            "days_since_last": row.days_since_last,
            "frequency": row.frequency,
            "monetary": row.monetary,
            "lower_risk": SEGMENTS[row.segment].lower_risk,
            "advice": SEGMENTS[row.segment].advice.text(code),
        }
        for row in scores.summary()
    ]


def _print_summary(book: Book, scores: Rfm, rows: list[dict[str, Any]], code: str) -> None:
    print(
        nmsg(
            "{n} customer had bought by {as_of}.", "{n} customers had bought by {as_of}.",
            scores.count, as_of=scores.as_of,
        ).text(code)
    )  # fmt: skip
    if not rows or scores.cutoffs is None:
        return
    money = book.currency
    shown = [
        {
            **row,
            "share": Percent(row["share"]),
            "revenue": _maybe(row["revenue"], lambda amount: Money(amount, money, 0)),
            "revenue_share": _maybe(row["revenue_share"], Percent),
            "days_since_last": _maybe(row["days_since_last"], lambda days: Number(days, 0)),
            "frequency": _maybe(row["frequency"], lambda times: Number(times, 1)),
            "monetary": _maybe(row["monetary"], lambda amount: Money(amount, money, 0)),
        }
        for row in rows
    ]
    headings = [
        ("label", T("Segment")), ("customers", T("Customers")), ("share", T("Share")),
        ("revenue", T("Revenue")), ("revenue_share", T("Share of revenue")),
        ("days_since_last", T("Days since last (median)")),
        ("frequency", T("Purchase days (median)")), ("monetary", T("Bought for (median)")),
    ]  # fmt: skip
    write_rows(shown, "table", headings)
    print(T("What each score stands for:"))
    scored = [(str(score), str(score)) for score in range(1, scores.bins + 1)]
    write_rows(_cutoff_rows(scores.cutoffs, money, code), "table", [("measure", ""), *scored])
    for row in rows:
        if row["customers"]:
            told = msg(
                "{segment} ({n}): {advice}",
                segment=row["label"],
                n=row["customers"],
                advice=row["advice"],
            )
            print(told.text(code))


def _maybe(value: Any, show: Any) -> Any:
    return None if value is None else show(value)


def _cutoffs(cutoffs: Cutoffs | None) -> dict[str, list[float]] | None:
    from revoir.segments.rfm import MEASURES

    if cutoffs is None:
        return None
    return {name: [float(cut) for cut in getattr(cutoffs, name)] for name in MEASURES}


def _cutoff_rows(cutoffs: Cutoffs, money: str | None, code: str) -> list[dict[str, Any]]:
    """What each score stands for, a row a measure; a score that no value gets has a dash."""
    from revoir.language import written

    bins = cutoffs.bins
    rows = []
    for measure, heading, cuts, show in (
        ("days", T("Days since the last purchase"), cutoffs.days_since_last, _whole),
        ("times", T("Purchase days"), cutoffs.frequency, _whole),
        ("sum", T("Bought for"), cutoffs.monetary, lambda cut: Money(cut, money)),
    ):
        if not cuts:  # amounts in several currencies
            continue
        row: dict[str, Any] = {"measure": heading}
        for place in range(bins):
            score = bins - place if measure == "days" else place + 1
            if place == bins - 1:
                row[str(score)] = f"> {written(show(cuts[-1]), code)}"
            elif place and cuts[place] == cuts[place - 1]:
                row[str(score)] = None
            else:
                row[str(score)] = f"≤ {written(show(cuts[place]), code)}"
        rows.append(row)
    return rows


def _whole(value: Any) -> Number:
    return Number(value, 0 if value == int(value) else 2)


def _answer_members(
    book: Book, scores: Rfm, segment: str, form: str, output: Path | None, code: str
) -> None:
    from revoir.segments.names import SEGMENTS

    if scores.reason is not None:
        say(scores.reason.text(code))
    members = scores.members(segment)
    known = SEGMENTS[segment]
    rows, columns = _listed(book, members)
    if form == "table":
        told = msg(
            "{segment}: {n} of {total} customers. {advice}",
            segment=known.label,
            n=len(rows),
            total=scores.count,
            advice=known.advice,
        )
        print(told.text(code))
    _write_list(rows, columns, form)
    if output is not None:
        write_customers(rows, columns, output, code)


def _answer_rule(
    book: Book, rule: Any, text: str, form: str, output: Path | None, code: str
) -> None:
    from revoir.segments.features import customer_count
    from revoir.segments.rules import customers_matching

    everyone = customer_count(book)
    rows, columns = _listed(book, customers_matching(book, rule).order_by("customer_id"))
    share = len(rows) / everyone if everyone else None
    if form == "json":
        write_json(
            {"rule": text, "as_of": book.as_of, "customers": len(rows), "total": everyone,
             "share": share, "list": rows}
        )  # fmt: skip
    else:
        if form == "table":
            told = nmsg(
                "{n} customer of {total} ({share}) meets the rule: {rule}",
                "{n} customers of {total} ({share}) meet the rule: {rule}",
                len(rows), total=everyone, share=_maybe(share, Percent), rule=text,
            )  # fmt: skip
            print(told.text(code))
        _write_list(rows, columns, form)
    if output is not None:
        write_customers(rows, columns, output, code)


def _answer_movement(
    book: Book, moves: Movement, form: str, output: Path | None, code: str
) -> None:
    if moves.reason is not None and form != "json":
        say(moves.reason.text(code))
    counts = [
        {"before": move.before, "after": move.after, "customers": move.customers}
        for move in moves.counts()
    ]
    if form == "json":
        write_json(
            {"before": moves.before.as_of, "after": moves.after.as_of,
             "cutoffs_before": _cutoffs(moves.before.cutoffs),
             "cutoffs_after": _cutoffs(moves.after.cutoffs),
             "movement": counts, "moved": _moved(book, moves),
             "reason": moves.reason.text(code) if moves.reason else None}
        )  # fmt: skip
    elif form == "csv":
        write_rows(counts or [], "csv")
    elif counts:
        _print_movement(moves, counts, code)
    if output is not None and moves.reason is None:
        _write_everyone(book, moves.moved, output, code)


def _moved(book: Book, moves: Movement) -> list[dict[str, Any]]:
    return [] if moves.reason is not None else book.rows(moves.moved)


def _print_movement(moves: Movement, counts: list[dict[str, Any]], code: str) -> None:
    """A grid: the segment before down, the segment after across."""
    from revoir.segments.names import SEGMENTS

    told = msg(
        "Segments of {before} (down) and of {after} (across):",
        before=moves.before.as_of,
        after=moves.after.as_of,
    )
    print(told.text(code))
    found = {(row["before"], row["after"]): row["customers"] for row in counts}
    across = [key for key in SEGMENTS if any(after == key for _, after in found)]
    rows: list[dict[str, Any]] = []
    for key in (*SEGMENTS, None):
        theirs = {after: found[key, after] for after in across if (key, after) in found}
        if theirs:
            label = SEGMENTS[key].label.text(code) if key else T("Bought since")
            rows.append({"before": label, **{after: theirs.get(after, 0) for after in across}})
    headings = [(key, SEGMENTS[key].label.text(code)) for key in across]
    write_rows(rows, "table", [("before", ""), *headings])
    moved = sum(n for (before, after), n in found.items() if before and before != after)
    print(
        nmsg("{n} customer changed segments.", "{n} customers changed segments.", moved).text(code)
    )


def _listed(book: Book, table: ir.Table) -> tuple[list[dict[str, Any]], list[str]]:
    """The customers of a table with what is known to reach them, and the names of the columns."""
    found = with_contacts(book, book.columns(table))
    return found.to_pylist(), found.column_names


def _write_everyone(book: Book, table: ir.Table, output: Path, code: str) -> None:
    rows, columns = _listed(book, table)
    write_customers(rows, columns, output, code)


def _write_list(rows: list[dict[str, Any]], columns: Sequence[str], form: str) -> None:
    from revoir.segments.names import SEGMENTS

    if form != "table":
        write_rows(rows, form) if rows else print("[]" if form == "json" else ",".join(columns))
        return
    if not rows:
        return
    named = contact_headings() | {
        "days_since_last": T("Days since last"), "frequency": T("Purchase days"),
        "monetary": T("Bought for"), "segment": T("Segment"),
    }  # fmt: skip
    shown = [dict(row) for row in rows[:SHOWN_MAX]]
    for row in shown:
        if row.get("segment"):
            row.update(segment=SEGMENTS[row["segment"]].label, monetary=Money(row["monetary"]))
    write_rows(shown, "table", [(name, named.get(name, name.upper())) for name in columns])
    if len(rows) > SHOWN_MAX:
        say(
            msg("The first {shown} of {n} customers; -o writes them all to a file.",
                shown=SHOWN_MAX, n=len(rows)).text(language())
        )  # fmt: skip
