"""The workbook to fill in: one sheet a table, with examples, lists to choose from and notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from revoir.language import Message, msg, nmsg

EXAMPLE_MARK = "exemple-"
"""What the numbers of example rows begin with; reading leaves such rows out of a template."""


@dataclass(frozen=True)
class _Column:
    """A column of a sheet: its header in both languages, its note, and what may stand in it."""

    fr: str
    en: str
    note: Message
    example: tuple[Any, Any]
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()


_YES_NO = (("oui", "yes"), ("non", "no"))
_CHANNELS = (("boutique", "shop"), ("site", "website"), ("téléphone", "telephone"))

_CUSTOMER = _Column(
    "N° client", "Customer ID", msg("The number or code of the customer: the same in every sheet."),
    (f"{EXAMPLE_MARK}1", f"{EXAMPLE_MARK}2"),
)  # fmt: skip

SHEETS: tuple[tuple[str, str, tuple[_Column, ...]], ...] = (
    ("Clients", "Customers", (
        _CUSTOMER,
        _Column("Prénom", "First name", msg("May be left empty."), ("Camille", "Léo")),
        _Column("Nom", "Last name", msg("May be left empty."), ("Martin", "Petit")),
        _Column("E-mail", "E-mail", msg("One address."),
                ("camille@example.com", "leo@example.com")),
        _Column("Téléphone", "Phone", msg("As text, with its first zero."),
                ("06 12 34 56 78", "+33 6 98 76 54 32")),
        _Column("Date de naissance", "Date of birth", msg("May be left empty."),
                ("1985-04-12", "1992-11-03"), "date"),
        _Column("Ville", "City", msg("To compare towns."), ("Tours", "Nantes")),
        _Column("Code postal", "Postcode", msg("As text, with its first zero."),
                ("37000", "44000")),
        _Column("Date d'inscription", "Signup date", msg("When the customer was first known."),
                ("2023-01-15", "2023-06-02"), "date"),
        _Column("Accepte newsletter", "Newsletter", msg("Agreed to be written to: yes or no."),
                (_YES_NO[0], _YES_NO[1]), "choice", _YES_NO),
    )),
    ("Commandes", "Orders", (
        _Column("N° commande", "Order number", msg("One number an order, never twice."),
                (f"{EXAMPLE_MARK}A1", f"{EXAMPLE_MARK}A2")),
        _CUSTOMER,
        _Column("Date de commande", "Order date", msg("The day of the order."),
                ("2024-02-03", "2024-02-10"), "date"),
        _Column("Montant TTC", "Total", msg("What was paid; negative for a return."),
                (49.9, 120.0), "amount"),
        _Column("Canal", "Channel", msg("Where it was sold."),
                (_CHANNELS[0], _CHANNELS[1]), "choice", _CHANNELS),
    )),
    ("Abonnements", "Subscriptions", (
        _Column("N° abonnement", "Subscription ID", msg("One number a subscription."),
                (f"{EXAMPLE_MARK}S1", f"{EXAMPLE_MARK}S2")),
        _CUSTOMER,
        _Column("Formule", "Plan", msg("What is subscribed to."), ("Essentiel", "Premium")),
        _Column("Date de début", "Start date", msg("The first day."),
                ("2023-09-01", "2024-01-01"), "date"),
        _Column("Date de fin", "End date", msg("Empty while it runs."), ("2024-03-31", None),
                "date"),
        _Column("Mensualité", "Monthly price", msg("The price of one month."), (19.9, 29.9),
                "amount"),
    )),
    ("Réponses", "Responses", (
        _Column("N° réponse", "Response ID", msg("One number an answer."),
                (f"{EXAMPLE_MARK}R1", f"{EXAMPLE_MARK}R2")),
        _CUSTOMER,
        _Column("Date de réponse", "Response date", msg("The day of the answer."),
                ("2024-02-20", "2024-02-21"), "date"),
        _Column("NPS", "NPS", msg("Would they recommend you, from 0 to 10?"), (9, 6), "nps"),
        _Column("Commentaire", "Comment", msg("In the customer's own words."),
                (("Accueil très agréable", "A warm welcome"),
                 ("Trop d'attente en caisse", "Too long a queue"))),
    )),
)  # fmt: skip
"""French name, English name and columns of each sheet."""

_NOTES = (
    msg("Fill in the sheets you have figures for; leave the others as they are, or delete them."),
    msg("The grey rows are examples: type over them or delete them. They are never counted."),
    msg("One row a customer, an order, a subscription or an answer. No total at the end."),
    msg("Then run: revoir report revoir.xlsx"),
)
_FILLED_ROWS = 5000
"""Rows that lists, formats and checks are prepared for."""


def write_template(path: Path, language: str = "fr") -> None:
    """Write the workbook to fill in.

    Args:
        path: The .xlsx file to write.
        language: One of `revoir.language.LANGUAGES`.

    Raises:
        OSError: The file cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(str(path))
    try:
        for french, english, columns in SHEETS:
            sheet = book.add_worksheet(french if language == "fr" else english)
            _fill(book, sheet, columns, language)
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error


def _fill(book: Any, sheet: Any, columns: tuple[_Column, ...], language: str) -> None:
    place = 0 if language == "fr" else 1
    head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "bottom": 1})
    grey = {"font_color": "#7F7F7F", "italic": True}
    kinds = {"date": "dd/mm/yyyy" if place == 0 else "yyyy-mm-dd", "amount": "#,##0.00"}
    for number, column in enumerate(columns):
        header = (column.fr, column.en)[place]
        form = {"num_format": kinds.get(column.kind, "@" if column.kind == "text" else "0")}
        sheet.set_column(number, number, max(14, len(header) + 4), book.add_format(form))
        sheet.write_string(0, number, header, head)
        sheet.write_comment(0, number, column.note.text(language))
        example = book.add_format({**form, **grey})
        for row, value in enumerate(column.example, 1):
            _write(sheet, row, number, value, column.kind, place, example)
        _restrict(sheet, number, column, place, language)
    sheet.freeze_panes(1, 0)
    # A text box is no cell: it is seen, and not read.
    notes = "\n".join(note.text(language) for note in _NOTES)
    sheet.insert_textbox(4, len(columns) + 1, notes, {"width": 420, "height": 170})


def _write(sheet: Any, row: int, number: int, value: Any, kind: str, place: int, form: Any) -> None:
    import datetime as dt

    if isinstance(value, tuple):
        value = value[place]
    if value is None:
        sheet.write_blank(row, number, None, form)
    elif kind == "date":
        sheet.write_datetime(row, number, dt.datetime.fromisoformat(value), form)
    elif isinstance(value, int | float):
        sheet.write_number(row, number, value, form)
    else:
        sheet.write_string(row, number, value, form)


def _restrict(sheet: Any, number: int, column: _Column, place: int, language: str) -> None:
    """Let the spreadsheet help: lists to choose from, and answers on their scale."""
    if column.choices:
        sheet.data_validation(
            1, number, _FILLED_ROWS, number,
            {"validate": "list", "source": [choice[place] for choice in column.choices],
             "error_type": "warning"},
        )  # fmt: skip
    elif column.kind == "nps":
        told = msg("A whole number from {low} to {high}.", low=0, high=10).text(language)
        sheet.data_validation(
            1, number, _FILLED_ROWS, number,
            {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 10,
             "error_message": told},
        )  # fmt: skip


def template_headers(language: str) -> list[list[str]]:
    """The headers of each sheet, in a language."""
    place = 0 if language == "fr" else 1
    return [[(c.fr, c.en)[place] for c in columns] for _, _, columns in SHEETS]


def example_note(count: int) -> Message:
    """Say that example rows were left out."""
    return nmsg(
        "{n} example row of the template was left out.",
        "{n} example rows of the template were left out.",
        count,
    )
