"""`revoir recommend`: what customers are likely to buy next, what goes together, what is due."""

from __future__ import annotations

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
    import pyarrow as pa

    from revoir.book import Book
    from revoir.models.association import Pair
    from revoir.models.recommend import Recommendations
    from revoir.models.recommend_record import Record
    from revoir.models.upgrades import Upgrade

Customer = Annotated[
    list[str] | None,
    typer.Option(
        "--customer",
        metavar="ID",
        help=T("Recommend to this customer alone; repeat for several."),
        show_default=False,
    ),
]
ProductOption = Annotated[
    str | None,
    typer.Option(
        "--product",
        metavar="CODE",
        help=T("Say what joins this product in the basket, and what its buyers move up to."),
        show_default=False,
    ),
]
Top = Annotated[int, typer.Option("--top", help=T("How many products each."))]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar=T("CATEGORY"),
        help=T("Leave out a category or a product; repeat for several."),
        show_default=False,
    ),
]
New = Annotated[
    bool, typer.Option("--new", help=T("Only products that the customer has not bought."))
]
ForUpgrade = Annotated[
    bool, typer.Option("--for-upgrade", help=T("List owned products that are due for an upgrade."))
]
Within = Annotated[
    int,
    typer.Option(
        "--within", metavar=T("DAYS"), min=0, help=T("How far ahead an upgrade may be due.")
    ),
]


def recommend(
    files: options.Files,
    customer: Customer = None,
    product: ProductOption = None,
    top: Top = 5,
    exclude: Exclude = None,
    new: New = False,
    for_upgrade: ForUpgrade = False,
    within: Within = 30,
    output: Output = None,
    form: options.Format = "table",
    lang: options.Lang = None,
    as_of: options.AsOf = None,
    map: options.Map = None,
    mapping: options.MappingFile = None,
    sheet: options.Sheet = None,
    timezone: options.Timezone = "Europe/Paris",
) -> None:
    """Recommend products to customers, or say what goes with a product."""
    code = speak(lang)
    _check_options(form, output, customer, product, for_upgrade)
    spare_inputs(output, files)
    book = open_book(
        files, as_of=as_of, map=map, mapping=mapping, sheet=sheet, timezone=timezone
    )  # fmt: skip
    if product is not None:
        _answer_product(book, product, top, form, code)
    elif for_upgrade:
        _answer_upgrades(book, within, form, output, code)
    else:
        from revoir.models.recommend import recommend as compute

        found = compute(book, top=top, exclude=exclude or (), customers=customer, new_only=new)
        _answer_customers(book, found, form, output, code)


def _check_options(
    form: str,
    output: Path | None,
    customer: list[str] | None,
    product: str | None,
    for_upgrade: bool,
) -> None:
    """Refuse what cannot be answered before any file is read."""
    from revoir.errors import UsageError

    asked = {"--customer": customer, "--product": product, "--for-upgrade": for_upgrade}
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise UsageError(
            msg("{options} cannot be asked together.", options=given),
            remedy=msg("Ask for one after the other."),
        )
    known_form(form, ("table", "csv", "json"))
    known_output(output)
    if product is not None and output is not None:
        raise UsageError(
            msg("{options} cannot be asked together.", options=["--product", "--output"]),
            remedy=msg("Use --format csv, and send the answer to a file."),
        )


def _answer_customers(
    book: Book, found: Recommendations, form: str, output: Path | None, code: str
) -> None:
    if form == "json":
        write_json(
            {
                "as_of": found.as_of,
                "record": _record(found.record, code) if found.record else None,
                "notes": [note.text(code) for note in found.notes],
                "customers": _by_customer(found, code),
                "reason": found.reason.text(code) if found.reason else None,
            }
        )
    else:
        shown = found.products if form == "csv" else found.products.slice(0, SHOWN_MAX)
        rows = _recommended(book, shown, code)
        if form == "csv":
            _write_csv(rows, _COLUMNS)
        else:
            _print_customers(found, rows, code)
        if found.reason is not None:
            say(found.reason.text(code))
    if output is not None:
        rows = _recommended(book, found.products, code)
        columns = list(rows[0]) if rows else list(_COLUMNS)
        told = nmsg(
            "{n} recommendation was written to {name}.",
            "{n} recommendations were written to {name}.",
            len(rows),
            name=str(output),
        )
        write_customers(rows, columns, output, code, told)


_COLUMNS = ("customer_id", "rank", "product_id", "product", "category", "why")


def _recommended(book: Book, products: pa.Table, code: str) -> list[dict[str, Any]]:
    """A row a recommendation: who, what and why."""
    from revoir.models.because import why

    rows = with_contacts(book, products).to_pylist()
    hidden = ("days_before", "because_1", "because_2")
    return [
        {
            **{name: value for name, value in row.items() if name not in hidden},
            "why": why(row).text(code),
        }
        for row in rows
    ]


def _by_customer(found: Recommendations, code: str) -> list[dict[str, Any]]:
    from revoir.models.because import why

    customers: list[dict[str, Any]] = []
    for row in found.products.to_pylist():
        if not customers or customers[-1]["customer_id"] != row["customer_id"]:
            customers.append({"customer_id": row["customer_id"], "products": []})
        customers[-1]["products"].append(
            {
                "product_id": row["product_id"],
                "product": row["product"],
                "category": row["category"],
                "days_before": row["days_before"],
                "because": [row[name] for name in ("because_1", "because_2") if row[name]],
                "why": why(row).text(code),
            }
        )
    return customers


def _record(record: Record, code: str) -> dict[str, Any]:
    return {
        "method": record.method.name,
        "settings": {
            "penalty": record.method.penalty,
            "again": record.method.again,
            "trend": record.method.trend,
        },
        "cutoff": record.cutoff,
        "hidden_days": record.hidden_days,
        "new_only": record.new_only,
        "methods": [
            {
                "method": one.name,
                "customers": one.customers,
                "precision": one.precision,
                "recall": one.recall,
                "ndcg": one.ndcg,
                "ndcg_low": one.ndcg_interval[0],
                "ndcg_high": one.ndcg_interval[1],
                "hits": one.hits,
                "hit_low": one.hit_interval[0],
                "hit_high": one.hit_interval[1],
                "coverage": one.coverage,
            }
            for one in record.trials
        ],
        "sentences": [sentence.text(code) for sentence in record.sentences()],
    }


def _print_customers(found: Recommendations, rows: list[dict[str, Any]], code: str) -> None:
    if rows:
        named = contact_headings() | {
            "rank": T("Rank"), "product_id": T("Code"), "product": T("Product"),
            "category": T("Category"), "why": T("Why"),
        }  # fmt: skip
        shown = [name for name in rows[0] if any(row[name] is not None for row in rows)]
        write_rows(rows, "table", [(name, named[name]) for name in shown])
    if found.products.num_rows > len(rows):
        say(
            msg("The first {shown} of {n} recommendations; -o writes them all to a file.",
                shown=len(rows), n=found.products.num_rows).text(code)
        )  # fmt: skip
    for note in found.notes:
        print(note.text(code))
    if found.record is None:
        return
    for sentence in found.record.sentences():
        print(sentence.text(code))
    tested = [
        {
            "method": one.label,
            "precision": Percent(one.precision),
            "recall": Percent(one.recall),
            "ndcg": Number(one.ndcg, 3),
            "between": msg(
                "{low} to {high}",
                low=Number(one.ndcg_interval[0], 3),
                high=Number(one.ndcg_interval[1], 3),
            ),
            "hits": Percent(one.hits / one.customers),
            "coverage": Percent(one.coverage),
        }
        for one in found.record.trials
    ]
    if tested:
        columns = [
            ("method", T("Method")), ("precision", T("Precision at 10")),
            ("recall", T("Recall at 10")), ("ndcg", T("nDCG at 10")),
            ("between", T("95% interval")), ("hits", T("Customers with a hit")),
            ("coverage", T("Products recommended")),
        ]  # fmt: skip
        write_rows(tested, "table", columns)


def _write_csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    write_rows(rows, "csv") if rows else print(",".join(columns))


def _answer_product(book: Book, name: str, top: int, form: str, code: str) -> None:
    from revoir.models.companions import companions

    found = companions(book, name, top)
    if found is None:
        _tell_nothing(form, code)
        return
    label = found.labels
    pairs = [_pair(one, label) for one in found.joining]
    ups = [_upgrade(one, label) for one in found.upgrades]
    if form == "json":
        write_json(
            {
                "product_id": found.product.product_id,
                "product": found.product.label,
                "basket": "order" if found.orders else "day of a customer",
                "together": pairs,
                "upgrades": ups,
                "reasons": [reason.text(code) for reason in found.reasons],
            }
        )
    elif form == "csv":
        kinds = [{"kind": "together", **row} for row in pairs]
        _write_csv([*kinds, *({"kind": "upgrade", **row} for row in ups)], ("kind", "product_id"))
    else:
        _print_product(found.product.label, pairs, ups, book)
    for reason in found.reasons if form != "json" else ():
        say(reason.text(code))


def _tell_nothing(form: str, code: str) -> None:
    reason = msg("No purchase of a known customer names a product.").text(code)
    if form == "json":
        write_json({"together": [], "upgrades": [], "reasons": [reason]})
    else:
        say(reason)


def _pair(pair: Pair, label: dict[str, str]) -> dict[str, Any]:
    return {
        "product_id": pair.other_id,
        "product": label[pair.other_id],
        "n": pair.together,
        "with_product": pair.with_product,
        "with_other": pair.with_other,
        "baskets": pair.baskets,
        "support": pair.support,
        "confidence": pair.confidence,
        "confidence_low": pair.confidence_interval[0],
        "confidence_high": pair.confidence_interval[1],
        "lift": pair.lift,
        "lift_low": pair.lift_interval[0],
        "lift_high": pair.lift_interval[1],
        "raw_lift": pair.raw_lift,
    }


def _upgrade(upgrade: Upgrade, label: dict[str, str]) -> dict[str, Any]:
    return {
        "product_id": upgrade.other_id,
        "product": label[upgrade.other_id],
        "n": upgrade.moved,
        "buyers": upgrade.buyers,
        "share": upgrade.share,
        "share_low": upgrade.interval[0],
        "share_high": upgrade.interval[1],
        "price": upgrade.price,
        "other_price": upgrade.other_price,
        "days": upgrade.days,
    }


def _print_product(
    label: str, pairs: list[dict[str, Any]], ups: list[dict[str, Any]], book: Book
) -> None:
    from revoir.cli.common import language

    code = language()
    if pairs:
        print(msg("In the basket with “{product}”:", product=label).text(code))
        shown = [
            {
                **row,
                "confidence": Percent(row["confidence"]),
                "confidences": _between(row, "confidence", Percent),
                "lift": Number(row["lift"]),
                "lifts": _between(row, "lift", Number),
            }
            for row in pairs
        ]
        columns = [
            ("product_id", T("Code")), ("product", T("Product")), ("n", T("Baskets with both")),
            ("confidence", T("Share of its baskets")), ("confidences", T("95% interval")),
            ("lift", T("Lift")), ("lifts", T("90% interval")),
        ]  # fmt: skip
        write_rows(shown, "table", columns)
    else:
        told = msg("Nothing joins “{product}” clearly more often than by chance.", product=label)
        print(told.text(code))
    if not ups:
        return
    print(msg("Buyers of “{product}” move up to:", product=label).text(code))
    money = book.currency
    shown = [
        {
            **row,
            "share": Percent(row["share"]),
            "shares": _between(row, "share", Percent),
            "price": Money(row["price"], money),
            "other_price": Money(row["other_price"], money),
            "days": Number(row["days"], 0),
        }
        for row in ups
    ]
    columns = [
        ("product_id", T("Code")), ("product", T("Product")), ("n", T("Buyers who did")),
        ("share", T("Share")), ("shares", T("95% interval")), ("price", T("Price before")),
        ("other_price", T("Price after")), ("days", T("Days (median)")),
    ]  # fmt: skip
    write_rows(shown, "table", columns)


def _between(row: dict[str, Any], name: str, form: Any) -> Message:
    return msg("{low} to {high}", low=form(row[f"{name}_low"]), high=form(row[f"{name}_high"]))


def _answer_upgrades(book: Book, within: int, form: str, output: Path | None, code: str) -> None:
    from revoir.models.upgrades import due_upgrades

    found = due_upgrades(book, within_days=within)
    listed = with_contacts(book, found.products)
    rows = listed.to_pylist()
    if form == "json":
        write_json(
            {
                "as_of": found.as_of,
                "within_days": found.within_days,
                "products": rows,
                "reason": found.reason.text(code) if found.reason else None,
            }
        )
    elif form == "csv":
        _write_csv(rows, tuple(listed.column_names))
    elif rows:
        named = contact_headings() | {
            "product_id": T("Code"), "product": T("Product"), "since": T("Last bought"),
            "due_on": T("Due on"), "given": T("Given by the data"), "offer": T("To offer"),
        }  # fmt: skip
        shown = [name for name in named if name in listed.column_names]
        write_rows(rows[:SHOWN_MAX], "table", [(name, named[name]) for name in shown])
        if len(rows) > SHOWN_MAX:
            told = msg("The first {shown} of {n} products; -o writes them all to a file.",
                       shown=SHOWN_MAX, n=len(rows))  # fmt: skip
            say(told.text(code))
    if form != "json":
        if found.reason is not None:
            say(found.reason.text(code))
        elif not rows:
            none = nmsg(
                "No product is due within {n} day.", "No product is due within {n} days.", within
            )
            say(none.text(code))
    if output is not None:
        told = nmsg(
            "{n} product due for an upgrade was written to {name}.",
            "{n} products due for an upgrade were written to {name}.",
            len(rows),
            name=str(output),
        )
        write_customers(rows, listed.column_names, output, code, told)
