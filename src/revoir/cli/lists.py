"""Lists of customers: what is known to reach them, and writing them to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from revoir.cli.common import T, harmless, say
from revoir.files import whole
from revoir.language import msg, nmsg

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.book import Book
    from revoir.language import Message

SHOWN_MAX = 50
"""Customers listed on a terminal; a file and the other formats hold them all."""

CONTACTS = ("name", "first_name", "last_name", "company", "email", "phone", "city")
"""Columns of customers that say who they are and how to reach them."""

Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o",
        help=T("Write the customers to a file: .xlsx or .csv."),
        show_default=False,
    ),
]  # fmt: skip


def known_output(output: Path | None) -> None:
    """Refuse a file that no list can be written to, before any file is read.

    Raises:
        UsageError: Its name ends otherwise than .xlsx or .csv.
    """
    from revoir.errors import UsageError

    if output is not None and output.suffix.lower() not in (".xlsx", ".csv"):
        raise UsageError(
            msg("A list of customers cannot be written as “{name}”.", name=output.name),
            remedy=msg("Use a name that ends with {names}.", names=[".xlsx", ".csv"]),
        )


def with_contacts(book: Book, customers: pa.Table) -> pa.Table:
    """Customers with what is known to reach them, in the order they have.

    Args:
        book: Where the customers come from.
        customers: Rows with `customer_id`.

    Returns:
        The rows, with the columns of `CONTACTS` that the book holds and they lack.
    """
    import pyarrow.compute as pc

    wanted = [
        name
        for name in CONTACTS
        if book.has("customers", name) and name not in customers.column_names
    ]
    if not wanted:
        return customers
    known = book.columns(book.table("customers").select("customer_id", *wanted))
    # A list of nobody has no type of its own.
    ids = customers["customer_id"].cast(known["customer_id"].type)
    place = pc.index_in(ids, value_set=known["customer_id"])
    for name in wanted:
        customers = customers.append_column(name, known[name].take(place))
    return customers


def contact_headings() -> dict[str, str]:
    """What a table on a terminal calls the columns of customers."""
    return {
        "customer_id": T("Customer"), "name": T("Name"), "first_name": T("First name"),
        "last_name": T("Family name"), "company": T("Company"), "email": T("E-mail"),
        "phone": T("Phone"), "city": T("Town"),
    }  # fmt: skip


def write_customers(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    output: Path,
    code: str,
    told: Message | None = None,
) -> None:
    """Write a list of customers to a file; what looks like a formula is written as text.

    Args:
        rows: One mapping a customer, or what `told` counts.
        columns: The columns to write.
        output: The file; its ending says in which form.
        code: The language to say in that it was done.
        told: What to say (None: how many customers were written).

    Raises:
        InputError: The file cannot be written.
        UsageError: There are more customers than a sheet holds.
    """
    from revoir.errors import InputError

    try:
        with whole(output) as draft:
            if output.suffix.lower() == ".csv":
                _write_csv(rows, columns, draft)
            else:
                _write_xlsx(rows, columns, draft)
    except OSError as error:
        raise InputError(
            msg(
                "{name} cannot be written: {reason}.",
                name=str(output),
                reason=error.strerror or str(error),
            ),
            remedy=msg("Choose another folder, or close the file where it is open."),
        ) from error
    told = told or nmsg(
        "{n} customer was written to {name}.",
        "{n} customers were written to {name}.",
        len(rows),
        name=str(output),
    )
    say(told.text(code))


def _write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Path) -> None:
    import csv

    with output.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(name) for name in columns])
        writer.writerows([harmless(row[name]) for name in columns] for row in rows)


def _write_xlsx(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: Path) -> None:
    from decimal import Decimal

    import xlsxwriter

    from revoir.errors import UsageError

    if len(rows) > 1_048_575:
        raise UsageError(
            msg("{n} customers do not fit in a sheet.", n=len(rows)),
            remedy=msg("Use a name that ends with {names}.", names=[".csv"]),
        )
    with output.open("wb") as file, xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(T("Customers"))
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name, bold)
            sheet.set_column(place, place, max(12, len(name) + 2))
        for line, row in enumerate(rows, start=1):
            for place, name in enumerate(columns):
                value = row[name]
                if isinstance(value, int | float | Decimal):
                    sheet.write_number(line, place, float(value))
                elif value is not None:
                    sheet.write_string(line, place, str(value)[:32_767])
