"""`revoir signals`: who is to be looked at now, why, and how often such alerts were right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
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
from revoir.cli.health import answer_health
from revoir.cli.lists import (
    SHOWN_MAX,
    Output,
    contact_headings,
    known_output,
    with_contacts,
    write_customers,
)
from revoir.language import Message, Money, Number, Percent, msg, nmsg

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.result import Figure
    from revoir.signals import Alert, Alerts, Record, Signal

Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--signal",
        metavar=T("SIGNAL"),
        help=T("Look at this signal alone; repeat for several."),
        show_default=False,
    ),
]
RecordOnly = Annotated[
    bool,
    typer.Option("--record", help=T("Tell the record of each signal in full, without a list.")),
]
Every = Annotated[
    bool,
    typer.Option(
        "--all", help=T("List the alerts of signals too that tell no more than the silence.")
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SIGNAL.PARAMETER=N",
        help=T("Set a parameter, such as complaints.period_days=60; repeat at will."),
        show_default=False,
    ),
]
HealthToo = Annotated[
    bool, typer.Option("--health", help=T("Score the health of every customer, 0 to 100, instead."))
]
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon",
        metavar=T("DAYS"),
        min=1,
        help=T(
            "Days within which a departure proves an alert right (default: the activity window)."
        ),
        show_default=False,
    ),
]


def signals(
    files: options.Files,
    signal: Chosen = None,
    record: RecordOnly = False,
    settings: Set = None,
    health: HealthToo = False,
    every: Every = False,
    horizon: Horizon = None,
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
    """Say which customers show early signs of leaving, why, and how often such signs were right."""
    code = speak(lang)
    from revoir.signals import health_scores, signal_named

    _check_options(form, output, record=record, health=health, signal=bool(signal))
    spare_inputs(output, files)
    chosen = [signal_named(name) for name in signal or ()]
    given = _settings(settings)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, currency=currency,
        timezone=timezone, activity_days=activity_days,
    )  # fmt: skip
    if health:
        answer_health(health_scores(book), horizon, form, output, code)
        return
    found, lacking = _asked(book, chosen, given, horizon)
    if record:
        _answer_records(book, found, lacking, form, code)
    else:
        # Whoever names a signal wants its alerts, whatever they are worth.
        muted = [] if every or chosen else [one for one in found if one.record.muted is not None]
        _answer_alerts(book, found, muted, lacking, form, output, code)


def _check_options(form: str, output: Path | None, **given: bool) -> None:
    """Refuse what cannot be answered before any file is read."""
    from revoir.errors import UsageError

    together = [f"--{name}" for name in ("record", "health") if given[name]]
    if given["health"] and given["signal"]:
        together.append("--signal")
    if len(together) > 1:
        raise UsageError(
            msg("{options} cannot be asked together.", options=together),
            remedy=msg("Ask for one after the other."),
        )
    if given["record"] and output is not None:
        raise UsageError(
            msg("{options} cannot be asked together.", options=["--record", "--output"]),
            remedy=msg("Ask for the record as csv or json."),
        )
    known_form(form, ("table", "csv", "json"))
    known_output(output)


def _settings(given: Sequence[str] | None) -> dict[str, dict[str, float]]:
    """Read ``overdue.share=0.8`` options, and refuse what makes no sense."""
    from revoir.errors import UsageError
    from revoir.signals import signal_named, values_of

    found: dict[str, dict[str, float]] = {}
    for option in given or ():
        name, _, value = option.partition("=")
        signal, point, parameter = name.strip().rpartition(".")
        try:
            number = float(value)
        except ValueError:
            point = ""
        if not point:
            raise UsageError(
                msg("“{option}” sets no parameter of a signal.", option=option),
                remedy=msg("Write, for instance: {example}.", example="overdue.share=0.8"),
            )
        known = signal_named(signal)
        held = found.setdefault(known.name, {})
        held[parameter] = number
        values_of(known, held)
    return found


def _asked(
    book: Book,
    chosen: Sequence[Signal],
    given: Mapping[str, Mapping[str, float]],
    horizon: int | None,
) -> tuple[list[Alerts], list[tuple[Signal, Message]]]:
    """The signals that can be raised, and those that cannot, with what they need."""
    from revoir.signals import alerts_of
    from revoir.signals import signals as every_signal

    found, lacking = [], []
    for signal in chosen or every_signal():
        alerts = alerts_of(book, signal.name, given.get(signal.name), horizon=horizon)
        if alerts.reason is None:
            found.append(alerts)
        else:
            lacking.append((signal, alerts.reason))
    return found, lacking


def _answer_alerts(
    book: Book,
    found: Sequence[Alerts],
    muted: Sequence[Alerts],
    lacking: Sequence[tuple[Signal, Message]],
    form: str,
    output: Path | None,
    code: str,
) -> None:
    from revoir.signals.alerts import customers_of, watch_list

    shown_only = form == "table" and output is None
    raising = [one for one in found if one not in muted]
    listed = watch_list(raising, SHOWN_MAX if shown_only else None)
    rows, columns = _customers(book, listed, found, code)
    count = customers_of(muted)
    if form == "json":
        left = {"customers": count, "signals": [one.signal.name for one in muted]}
        write_json(_whole(book, found, lacking, code) | {"alerts": rows, "not_listed": left})
    elif form == "csv":
        write_rows(rows, "csv") if rows else print(",".join(columns))
    else:
        _print_summary(book, found, raising, code)
        _print_customers(book, rows[:SHOWN_MAX], columns, sum(one.count for one in raising), code)
        _tell(book, found, lacking, code)
    if count:
        say(_not_listed(muted, count).text(code))
    if output is not None:
        write_customers(rows, columns, output, code)


def _not_listed(muted: Sequence[Alerts], count: int) -> Message:
    return nmsg(
        "{n} customer shows signals that tell no more than the silence ({signals}): they are not"
        " listed, unless with --all.",
        "{n} customers show signals that tell no more than the silence ({signals}): they are not"
        " listed, unless with --all.",
        count,
        signals=[one.signal.label for one in muted],
    )


def _customers(
    book: Book, listed: Sequence[Alert], found: Sequence[Alerts], code: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Plain rows of alerts with what is known to reach the customers."""
    import pyarrow as pa

    shares = {one.signal.name: one.record.precision for one in found}
    people = with_contacts(book, pa.table({"customer_id": [one.customer_id for one in listed]}))
    contacts = people.to_pylist() if listed else []
    rows = [
        {
            **contact,
            "signal": alert.signal.name,
            "label": alert.signal.label.text(code),
            "raised_on": alert.raised_on.isoformat(),
            "reason": alert.reason.text(code),
            "bought_for": None if alert.bought_for is None else float(alert.bought_for),
            "right": shares[alert.signal.name].value,
        }
        for contact, alert in zip(contacts, listed, strict=True)
    ]
    own = ["signal", "label", "raised_on", "reason", "bought_for", "right"]
    return rows, [*people.column_names, *own]


def _whole(
    book: Book, found: Sequence[Alerts], lacking: Sequence[tuple[Signal, Message]], code: str
) -> dict[str, Any]:
    from revoir.metrics.activity import activity, rule_in_words

    return {
        "as_of": book.as_of if found else None,
        "horizon_days": found[0].horizon_days if found else None,
        "activity": rule_in_words(activity(book)).text(code),
        "signals": [
            {
                "signal": one.signal.name,
                "label": one.signal.label.text(code),
                "meaning": one.signal.meaning.text(code),
                "parameters": dict(one.values),
                "open": one.count,
                "record": one.record.plain(code),
            }
            for one in found
        ],
        "lacking": [
            {"signal": signal.name, "label": signal.label.text(code), "reason": reason.text(code)}
            for signal, reason in lacking
        ],
    }


def _print_summary(
    book: Book, found: Sequence[Alerts], raising: Sequence[Alerts], code: str
) -> None:
    """How many alerts are listed, and the record of each signal."""
    if not found:
        return
    count, shown = (sum(one.count for one in some) for some in (found, raising))
    told = nmsg(
        "{n} alert is open at the end of {day}.",
        "{n} alerts are open at the end of {day}.",
        count,
        day=book.as_of,
    )
    if shown < count:
        told = nmsg(
            "Of {n} alert that is open at the end of {day}, {shown} is to be seen to.",
            "Of {n} alerts that are open at the end of {day}, {shown} are to be seen to.",
            count,
            day=book.as_of,
            shown=shown,
        )
    print(told.text(code))
    rows = [
        {
            "label": one.signal.label,
            "open": one.count,
            "past": one.record.alerts,
            "precision": _share(one.record.precision),
            "as_silent": _share(one.record.as_silent, interval=False),
            "alike": _share(one.record.alike, interval=False),
            "recall": _share(one.record.recall, interval=False),
            "lead": _lead(one.record),
            "false": _a_week(one.record),
        }
        for one in found
    ]
    headings = [
        ("label", T("Signal")), ("open", T("Open")), ("past", T("In the past")),
        ("precision", T("Right")), ("as_silent", T("Others as silent")),
        ("alike", T("… who bought as often")), ("recall", T("Departures announced")),
        ("lead", T("Days ahead")), ("false", T("False a week")),
    ]  # fmt: skip
    write_rows(rows, "table", headings)


def _share(figure: Figure, *, interval: bool = True) -> Any:
    if figure.value is None:
        return None
    if not interval or figure.low is None or figure.high is None:
        return Percent(figure.value, 0)
    return msg(
        "{share} ({low}–{high})",
        share=Percent(figure.value, 0),
        low=Percent(figure.low, 0),
        high=Percent(figure.high, 0),
    )


def _lead(record: Record) -> Message | None:
    if record.reason is not None or record.lead is None:
        return None
    lead = record.lead
    return msg("{median} ({low}–{high})", median=lead.median, low=lead.low, high=lead.high)


def _a_week(record: Record) -> Number | None:
    value = record.false_per_week.value
    return None if value is None else Number(value, 1)


def _print_customers(
    book: Book, rows: list[dict[str, Any]], columns: Sequence[str], total: int, code: str
) -> None:
    if not rows:
        return
    currency = book.currency
    import datetime as dt

    shown = [
        {
            **row,
            "raised_on": dt.date.fromisoformat(row["raised_on"]),
            "bought_for": None
            if row["bought_for"] is None
            else Money(row["bought_for"], currency, 0),
            "right": None if row["right"] is None else Percent(row["right"], 0),
        }
        for row in rows
    ]
    named = contact_headings() | {
        "label": T("Signal"), "raised_on": T("Since"), "reason": T("Why, on that day"),
        "bought_for": T("Bought for"), "right": T("Right in the past"),
    }  # fmt: skip
    headings = [(name, named[name]) for name in columns if name in named]
    write_rows(shown, "table", headings)
    if total > len(rows):
        told = msg(
            "The first {shown} of {n} alerts; -o writes them all to a file.",
            shown=len(rows),
            n=total,
        )
        say(told.text(code))


def _tell(
    book: Book, found: Sequence[Alerts], lacking: Sequence[tuple[Signal, Message]], code: str
) -> None:
    """What must be known to read the record, and what other signals would need."""
    from revoir.metrics.activity import activity, rule_in_words

    if found:
        told = nmsg(
            "An alert was right when the customer gave no further sign of life and counted as gone"
            " within {n} day. {rule}",
            "An alert was right when the customer gave no further sign of life and counted as gone"
            " within {n} days. {rule}",
            found[0].horizon_days,
            rule=rule_in_words(activity(book)),
        )
        say(told.text(code))
    for one in found:
        if one.record.reason is not None:
            say(_about(one.signal, one.record.reason).text(code))
    for signal, reason in lacking:
        say(_about(signal, reason).text(code))


def _about(signal: Signal, told: Message) -> Message:
    return msg("{label}: {told}", label=signal.label, told=told)


def _answer_records(
    book: Book,
    found: Sequence[Alerts],
    lacking: Sequence[tuple[Signal, Message]],
    form: str,
    code: str,
) -> None:
    if form == "json":
        write_json(_whole(book, found, lacking, code))
    elif form == "csv":
        write_rows([_flat(one.record, code) for one in found], "csv")
    else:
        _print_summary(book, found, found, code)
        for one in found:
            if one.record.reason is None:
                print(_about(one.signal, one.record.sentence()).text(code))
        _tell(book, found, lacking, code)


def _flat(record: Record, code: str) -> dict[str, Any]:
    """A record as one row: each figure with its parts under names of its own."""
    flat: dict[str, Any] = {}
    for name, value in record.plain(code).items():
        if isinstance(value, dict):
            flat.update({f"{name}_{part}": one for part, one in value.items()})
        else:
            flat[name] = value
    return flat
