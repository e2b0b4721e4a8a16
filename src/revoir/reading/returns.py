"""Rows that give money back by the word of a column: credit notes, refunds, “remboursé: oui”."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import Money, nmsg
from revoir.reading import values
from revoir.reading.fields import Field
from revoir.reading.movements import among
from revoir.reading.part import Part, summary
from revoir.reading.profile import Profile
from revoir.tables import TABLES, Type, plain_name

if TYPE_CHECKING:
    import duckdb

_SOLD = frozenset(
    ["facture", "factures", "vente", "ventes", "achat", "achats", "commande", "paiement",
     "encaissement", "sale", "sales", "payment", "invoice", "purchase", "order", "charge"]
)  # fmt: skip
_BACK = frozenset(
    ["avoir", "avoirs", "facture d avoir", "facture avoir", "note de credit", "retour", "retours",
     "remboursement", "remboursements", "refund", "refunds", "credit note", "credit memo",
     "creditnote", "return", "returns"]
)  # fmt: skip
_KINDS_MAX = 12
_FLAGS = frozenset(
    ["est_rembourse", "is_refunded", "remboursee", "remboursement", "rembourse_oui_non"]
)


def _plain(cell: str) -> str:
    return plain_name(cell).replace("_", " ")


def tell_returns(
    connection: duckdb.DuckDBPyConnection, part: Part, profiles: dict[str, Profile]
) -> None:
    """Make what a credit note or a refund says positive negative, and say so.

    Args:
        connection: The connection that holds the file.
        part: The converted file of sales.
        profiles: What its columns look like.
    """
    _find_flag(part, profiles)
    amount = part.amount or part.product
    if part.told_by is not None:
        if part.back:
            turned = f"{among(identifier(part.told_by.key), part.back)} AND {amount} > 0"
            turned = f"coalesce({turned}, false)"
            _turn(connection, part, part.told_by, turned, amount)
        return
    status = part.fields.get("orders.status")
    for held in [*part.fields.attributes, *([status] if status else [])]:
        if not _may_tell(profiles[held.mapping.column]):
            continue
        word = plain_sql(identifier(held.key))
        kinds = [
            row[0]
            for row in connection.execute(
                f"SELECT DISTINCT {word} FROM {part.accepted} WHERE {identifier(held.key)} IS NOT"
                f" NULL LIMIT {_KINDS_MAX + 1}"
            ).fetchall()
        ]
        back = sorted(_BACK.intersection(kinds))
        if not back or not set(kinds) <= _BACK | _SOLD:
            continue
        said = f"{word} IN ({', '.join(map(literal, back))})"
        _turn(connection, part, held, f"coalesce({said} AND {amount} > 0, false)", amount)
        return


def tell_refunded(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Make what is left of an order, or a refund of its taxes too, what was refunded of it.

    Args:
        connection: The connection that holds the file.
        part: The converted file of sales.
    """
    held = part.fields.get("orders.refunded")
    how = part.detection.declared.refunds if part.detection.declared else ""
    if held is None or not how or part.amount is None:
        return
    given, paid = identifier(held.key), part.amount
    if how == "capped":
        refunded = f"CASE WHEN {paid} > 0 THEN least(abs({given}), {paid}) ELSE {given} END"
    else:
        # Where an order that nothing happened to has its total or nothing there, 0 is no total.
        found = summary(
            connection,
            f"SELECT count(*) FILTER ({given} IS NULL OR {given} = {paid}) AS said,"
            f" count(*) FILTER ({given} = 0 AND {paid} > 0) AS zeros FROM {part.accepted}",
        )
        low = "<=" if found["said"] else "<"
        left = f"0 {low} {given} AND {given} < {paid}"
        refunded = f"CASE WHEN {left} THEN {paid} - {given} ELSE 0 END"
        if found["zeros"] and not found["said"]:
            part.notes.append(
                nmsg(
                    "Column {header}: 0 is read as that nothing was given back ({n} order). If one"
                    " was given back wholly, its status must say so.",
                    "Column {header}: 0 is read as that nothing was given back ({n} orders). If one"
                    " was given back wholly, its status must say so.",
                    found["zeros"], header=held.mapping.header,
                )
            )  # fmt: skip
    _rewrite(connection, part, "refunded", {held.key: f"CAST({refunded} AS {values.DECIMAL})"})


def tell_refunded_twice(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Leave out what a column says was refunded where rows of the file take it off, and say so.

    These are the rows of refunds themselves, which may tell their amount twice, and the orders
    whose number has rows that give back just this much.

    Args:
        connection: The connection that holds the file.
        part: The converted file of sales, with what came back below zero.
    """
    held = part.fields.get("orders.refunded")
    if held is None or not (part.amount or part.has("order_lines.unit_price")):
        return
    paid = part.amount or part.product
    given = identifier(held.key)
    twice = f"{paid} = -abs({given})"
    if part.has("orders.order_id"):
        number = identifier("orders.order_id")
        twice += (
            f" OR ({number}, CAST(abs({given}) AS {values.DECIMAL})) IN"
            f" (SELECT ({number}, CAST(-sum({paid}) AS {values.DECIMAL})) FROM {part.accepted}"
            f" WHERE {paid} < 0 AND {number} IS NOT NULL GROUP BY {number})"
        )
    twice = f"coalesce({given} <> 0 AND ({twice}), false)"
    found = summary(
        connection,
        f"SELECT count(*) FILTER ({paid} > 0) AS n, count(*) AS rows FROM {part.accepted}"
        f" WHERE {twice}",
    )
    if not found["rows"]:
        return
    once = f"CASE WHEN {twice} THEN NULL ELSE {given} END"
    _rewrite(connection, part, "refunded_once", {held.key: once})
    if found["n"]:
        part.notes.append(
            nmsg(
                "Column {header}: {n} row says what rows of the same number give back: it was"
                " taken off once.",
                "Column {header}: {n} rows say what rows of the same number give back: it was"
                " taken off once.",
                found["n"], header=held.mapping.header,
            )
        )  # fmt: skip


def plain_sql(column: str) -> str:
    """SQL of a cell in plain words: without accents, capitals and signs."""
    lower = f"lower(strip_accents(CAST({column} AS VARCHAR)))"
    return f"trim(regexp_replace({lower}, '[^0-9a-z]+', ' ', 'g'))"


def _may_tell(profile: Profile) -> bool:
    kinds = {_plain(cell) for cell in profile.cells}
    return 0 < len(kinds) <= _KINDS_MAX and kinds <= _BACK | _SOLD


def _rewrite(
    connection: duckdb.DuckDBPyConnection, part: Part, stem: str, cells: Mapping[str, str]
) -> None:
    """Put a table with other cells, SQL by the key of their column, in the place of a file's."""
    name = identifier(f"{stem}_{part.number}")
    replaced = ", ".join(f"{cell} AS {identifier(key)}" for key, cell in cells.items())
    connection.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * REPLACE ({replaced}) FROM {part.relation}"
    )
    part.relation, part.is_table = name, True


def _turn(
    connection: duckdb.DuckDBPyConnection, part: Part, held: Field, turned: str, amount: str
) -> None:
    """Turn the sign of the amounts and quantities of some rows."""
    found = summary(
        connection,
        f"SELECT count(*) AS n, sum({amount}) AS amount, min({identifier(held.key)}) AS word"
        f" FROM {part.accepted} WHERE {turned}",
    )
    if not found["n"]:
        return
    keys = ["orders.amount", "order_lines.amount", "orders.margin", "order_lines.margin"]
    quantity = part.has("order_lines.quantity")
    keys.append("order_lines.quantity" if quantity else "order_lines.unit_price")
    cells = {
        key: f"CASE WHEN {turned} THEN -{identifier(key)} ELSE {identifier(key)} END"
        for key in keys if part.has(key)
    }  # fmt: skip
    _rewrite(connection, part, "turned", cells)
    part.notes.append(
        nmsg(
            "Column {header}: {n} row says “{word}”, {amount} in all: it was taken as given back.",
            "Column {header}: {n} rows say “{word}” or the like, {amount} in all: they were taken"
            " as given back.",
            found["n"], header=held.mapping.header, word=found["word"],
            amount=Money(found["amount"]),
        )
    )  # fmt: skip


def _find_flag(part: Part, profiles: dict[str, Profile]) -> None:
    """Find the column that says of each order, yes or no, whether it was refunded."""
    refunded = TABLES["orders"].column("refunded")
    names = _FLAGS | {"refunded", *(refunded.synonyms if refunded else ())}
    for held in part.fields.attributes:
        profile = profiles[held.mapping.column]
        if plain_name(held.mapping.header) in names and profile.says_yes_or_no:
            cell = identifier(held.key)
            kind = "BOOLEAN" if held.sql_type.upper() == "BOOLEAN" else "VARCHAR"
            said = values.boolean(f"CAST({cell} AS {kind})", kind, consent=False, inverted=False)
            if values.is_number(held.sql_type) or held.type in (Type.DECIMAL, Type.INTEGER):
                # A column with gaps holds its ones as 1.0.
                said = f"try_cast({cell} AS DOUBLE) = 1"
            part.refunded = f"coalesce({said}, false)"
            return
