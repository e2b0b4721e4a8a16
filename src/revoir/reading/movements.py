"""Rows of a file of sales that are none: payouts, fees, quotes, payments of invoices, totals.

Payment services, tills and accounting list all that moves, and one column says what each row is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from revoir.engines.sql import identifier, literal
from revoir.language import Message, Money, nmsg
from revoir.reading import identity
from revoir.reading.fields import Field
from revoir.reading.part import Part, summary, words_of
from revoir.tables import plain_name

if TYPE_CHECKING:
    import duckdb

Kind = Literal["other", "back", "paid", "sold"]

_HEADERS = frozenset(
    ["type", "transaction_type", "type_transaction", "type_de_transaction", "line_type",
     "type_ligne", "type_de_ligne", "reporting_category", "operation", "type_operation",
     "type_d_operation", "mouvement", "type_mouvement", "type_de_mouvement", "nature",
     "document_type", "type_document", "type_de_document", "type_piece", "type_de_piece"]
)  # fmt: skip
"""Headers of columns that say what a row is."""
_WORDS_MAX = 200
_LINE = re.compile(r" lines?$|^lignes? de ")
_KINDS: tuple[tuple[Kind, str], ...] = (
    # Paid by transfer, fetched in the shop, sold on commission: sales all the same.
    ("sold",
     r"\b(ventes?|sales?)\b.*\b(virement|transfer|retrait|cheque|check|bank|frais)\b"
     r"|\bdepots? ventes?\b"),
    ("other",
     r"payout|withdraw|^retraits?\b|virement|transfer|conversion|commission|adjust|ajustement"
     r"|\bfees?\b|^frais\b|\bfrais (de|d)\b|\bde frais\b|\btax(es)?\b|\btaxes?\b|network cost"
     r"|\bhold\b|suspen|release|debloca|\breserved?\b|authori[sz]ation|autorisation|top ?up"
     r"|\bdeposits?\b|\bdepots?\b|approvisionnement|ajout de fonds|\bbank\b|\bbanque\b|\bloan\b"
     r"|estimat|quotation|\bquotes?\b|\bdevis|pro ?forma|incomplete|shopping cart item"
     r"|supplier|vendor|fournisseur|purchase order|expenses?\b|depenses?\b|\bjournal\b"
     r"|advance|contribution|^bill( payment.*)?$|^che(ck|que)s?$"),
    ("sold", r"(refund|dispute) (failure|reversal)|cancell?ed reversal|statement charge"),
    ("back",
     r"refund|rembours|\bavoirs?\b|retour|\breturns?\b|credit (note|memo)|creditnote|note de credit"
     r"|charge ?back|dispute|litige|revers(al|ed)|retrofacturation|charge failure"),
    ("paid",
     r"payments?\b|paiements?\b|reglements?\b|encaissements?\b|checkout|\bdons?\b|donation"
     r"|\bcharges?\b"),
    ("sold",
     r"\bsales?\b|\bventes?\b|\binvoices?\b|\bfactures?\b|\borders?\b|\bcommandes?\b"
     r"|\bachats?\b|\bpurchases?\b|\brecus? de vente"),
)  # fmt: skip
"""What words a row is called by, without accents; the first that fits tells it."""


def kind_of(word: str) -> Kind | None:
    """What a row is that is called so: a sale, a payment, a refund, or something other.

    Args:
        word: A cell, plain.

    Returns:
        None where the word says nothing.

    Examples:
        >>> [kind_of(word) for word in ("express checkout payment", "avoir", "payout", "coupe")]
        ['paid', 'back', 'other', None]
    """
    return next((kind for kind, pattern in _KINDS if re.search(pattern, word)), None)


def leave_out(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Leave the rows out that are no sales, and say which; find those that give money back.

    Where a column says both invoices and payments, or totals and lines, only the former, or the
    lines, are counted: the others are the same money once more.

    Args:
        connection: The connection that holds the file.
        part: The converted file; its rows are fewer after.
    """
    held = _column(part)
    if held is None:
        return
    cell, declared = identifier(held.key), part.detection.declared
    cells = words_of(connection, part.relation, cell, _WORDS_MAX)
    words = {one: plain_name(str(one)).replace("_", " ") for one in cells}
    kinds = {one: kind_of(word) for one, word in words.items()}
    known = declared is not None and bool(declared.kind)
    if len(cells) > _WORDS_MAX or (not known and not {"sold", "paid"} & set(kinds.values())):
        return
    unknown = list(kinds.values()).count(None)
    # Means of payment are transfers, too: only beside sales may other words be unknown.
    if not known and unknown and ("sold" not in kinds.values() or 3 * unknown > len(kinds)):
        return
    payments = declared is not None and declared.payments
    others = [one for one, kind in kinds.items() if kind == "other" or (payments and not kind)]
    if "sold" in kinds.values() and not payments:
        others += [one for one, kind in kinds.items() if kind == "paid"]
    lines = {one for one, word in words.items() if _LINE.search(word)}
    summed = {_LINE.sub("", words[one]) for one in lines}
    totals = [one for one, word in words.items() if word in summed]
    if not known and not others and not totals:
        return
    part.told_by = held
    part.back = [one for one, kind in kinds.items() if kind == "back"]
    amount = "0"
    if part.detection.table == "orders":
        amount = part.amount or part.product
    other = among(cell, others)
    if totals:
        other = f"({other} OR {_with_lines(part, among(cell, totals), among(cell, lines))})"
    paid = among(cell, [one for one, kind in kinds.items() if kind == "paid"])
    back = among(cell, part.back)
    signed = summary(
        connection, f"SELECT bool_or({back} AND {amount} < 0) AS said FROM {part.relation}"
    )["said"]
    # What was paid by the company itself, and what it was given back.
    out = f"({paid} AND {amount} < 0)"
    if signed:
        out = f"({out} OR ({back} AND {amount} > 0))"
    _tell(connection, part, held, amount, other, out)
    _keep(connection, part, f"NOT ({other} OR coalesce({out}, false))", back)


def _column(part: Part) -> Field | None:
    """The column that says what each row is."""
    declared = part.detection.declared
    if declared is not None and declared.kind:
        return next(
            (held for held in part.fields.values()
             if plain_name(held.mapping.header) == declared.kind), None
        )  # fmt: skip
    if part.detection.table != "orders":
        return None
    return next(
        (held for held in part.fields.attributes if plain_name(held.mapping.header) in _HEADERS),
        None,
    )


def among(cell: str, cells: Iterable[str]) -> str:
    """SQL of whether a cell is one of some."""
    held = ", ".join(map(literal, sorted(set(cells))))
    return f"coalesce({cell} IN ({held}), false)" if held else "false"


def _with_lines(part: Part, total: str, line: str) -> str:
    """SQL of whether a row sums up lines that stand in the file, too."""
    if not part.has("orders.order_id"):
        return total
    order = identifier("orders.order_id")
    held = f"SELECT {order} FROM {part.relation} WHERE {line} AND {order} IS NOT NULL"
    return f"({total} AND {order} IN ({held}))"


def _tell(
    connection: duckdb.DuckDBPyConnection,
    part: Part,
    held: Field,
    amount: str,
    other: str,
    out: str,
) -> None:
    """Say what is left out, with its amounts."""
    cell = identifier(held.key)
    rows = connection.execute(
        f"SELECT {cell}, count(*), sum({amount}) FROM {part.relation} WHERE {other}"
        f" GROUP BY {cell} ORDER BY count(*) DESC, 1"
    ).fetchall()
    header = held.mapping.header or held.mapping.column
    if rows and part.detection.table != "orders":
        part.notes.append(
            nmsg(
                "Column {header}: {n} row was left out, for nothing came of it: {kinds}.",
                "Column {header}: {n} rows were left out, for nothing came of them: {kinds}.",
                sum(count for _, count, _ in rows), header=header,
                kinds=[_told_kind(*row) for row in rows],
            )
        )  # fmt: skip
    elif rows:
        part.notes.append(
            nmsg(
                "Column {header}: {n} row is no sale of its own and was left out: {kinds}. If it is"
                " one, give the column the meaning ignore.",
                "Column {header}: {n} rows are no sales of their own and were left out: {kinds}. If"
                " they are, give the column the meaning ignore.",
                sum(count for _, count, _ in rows), header=header,
                kinds=[_told_kind(*row) for row in rows],
            )
        )  # fmt: skip
    found = summary(
        connection,
        f"SELECT count(*) AS n, sum({amount}) AS amount FROM {part.relation}"
        f" WHERE {out} AND NOT {other}",
    )
    if found["n"]:
        part.notes.append(
            nmsg(
                "Column {header}: {n} row is what you paid, or were given back, yourself, {amount}"
                " in all: it is no sale and was left out.",
                "Column {header}: {n} rows are what you paid, or were given back, yourself,"
                " {amount} in all: they are no sales and were left out.",
                found["n"], header=header, amount=Money(found["amount"]),
            )
        )  # fmt: skip


def _told_kind(word: str, count: int, amount: float | None) -> Message:
    if not amount:
        return nmsg("{word} ({n} row)", "{word} ({n} rows)", count, word=word)
    return nmsg(
        "{word} ({n} row, {amount})", "{word} ({n} rows, {amount})",
        count, word=word, amount=Money(amount),
    )  # fmt: skip


def _keep(connection: duckdb.DuckDBPyConnection, part: Part, kept: str, back: str) -> None:
    """Keep the rows that are sales, with what those given back say in other columns."""
    declared = part.detection.declared
    swapped = []
    for header, target in (declared.of_refunds if declared else {}).items():
        other = next(
            (held for held in part.fields.attributes if plain_name(held.mapping.header) == header),
            None,
        )
        if other is not None and part.has(target):
            key = identifier(target)
            typed = f"rv_email({identifier(other.key)})"
            swapped.append(f"CASE WHEN {back} THEN {typed} ELSE {key} END AS {key}")
    cells = f"* REPLACE ({', '.join(swapped)})" if swapped else "*"
    name = identifier(f"sold_{part.number}")
    connection.execute(
        f"CREATE OR REPLACE {'TABLE' if part.is_table else 'VIEW'} {name} AS"
        f" SELECT {cells} FROM {part.relation} WHERE {kept}"
    )
    numbered, zero = identity.counts(part)
    part.relation = name
    found = summary(
        connection,
        f"SELECT count(*) AS rows, count(_bad) AS bad, {numbered} AS numbered, {zero} AS zeros"
        f" FROM {name}",
    )
    part.rows, part.bad = found["rows"], found["bad"]
    part.numbered, part.zeros = found["numbered"], found["zeros"]
