"""Who the customer of a row is: by number, else by e-mail, telephone or name, or nobody."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg, nmsg
from revoir.reading import values
from revoir.reading.fields import Field
from revoir.reading.part import Part, summary
from revoir.reading.profile import Profile

if TYPE_CHECKING:
    import duckdb

_LARGE = 1_000_000
"""Rows from which customer numbers stay the whole numbers that the file has."""
_SPELLINGS = "customers_spelt"
"""The table of how names are spelt that stand for customer numbers, for all files of a reading."""
_NEEDED = ("subscriptions", "events")
"""Tables whose rows need a customer number: none of them goes by an address instead."""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget how the customers of an earlier reading were spelt."""
    connection.execute(f"CREATE OR REPLACE TABLE {_SPELLINGS} (_key VARCHAR, _shown VARCHAR)")


def identify(part: Part, profiles: dict[str, Profile]) -> None:
    """Find who the customer is: by number, else by e-mail, telephone or name."""
    own = _number(part)
    options: list[tuple[str, str]] = []
    if own is not None:
        options.append(("customer_id", identifier(own.key)))
        # Grouping by whole numbers is twice as fast as by text: it tells in large files.
        if part.raw.rows_in >= _LARGE and own.sql_type.upper() in ("BIGINT", "INTEGER"):
            part.fields[own.key] = replace(own, typed=own.column, given=own.column)
    part.addresses = _addresses(part, profiles)
    options += part.addresses
    name = _name(part)
    if name is not None:
        options.append(("name", name))
    if not options:
        return
    part.identity, part.customer = options[0]
    if part.detection.table == "customers" and len(options) > 1:
        # A contact without a number is still somebody if there is an address.
        texts = [f"CAST({sql} AS VARCHAR)" for _, sql in options[:2]]
        part.customer = f"coalesce({', '.join(texts)})"
    if part.identity != "customer_id":
        what = {"email": msg("e-mail address"), "phone": msg("telephone number")}
        part.notes.append(
            msg(
                "There is no customer number: customers are told apart by their {what}.",
                what=what.get(part.identity, msg("name")),
            )
        )


def _number(part: Part) -> Field | None:
    """The column of customer numbers."""
    keys = (f"{part.detection.table}.customer_id", "customers.customer_id")
    return next((part.fields[key] for key in keys if key in part.fields), None)


def _addresses(part: Part, profiles: dict[str, Profile]) -> list[tuple[str, str]]:
    """What tells customers apart who have no number: its name and SQL.

    A column that is empty on every row tells nobody apart, where a name can.
    """
    held = [(name, part.fields.get(f"customers.{name}")) for name in ("email", "phone")]
    named = _name(part) is not None
    return [
        (name, identifier(field.key))
        for name, field in held
        if field is not None and (profiles[field.mapping.column].cells or not named)
    ]


def _name(part: Part) -> str | None:
    """SQL of the name of the customer, null where it names nobody."""
    columns = _name_columns(part)
    if not columns:
        return None
    joined = ", ".join(map(identifier, columns))
    name = f"rv_folded(trim(concat_ws(' ', {joined})))"
    return f"CASE WHEN {name} <> '' AND NOT rv_nobody({name}) THEN {name} END"


def _name_columns(part: Part) -> list[str]:
    """The keys of the columns that make up the name of a customer."""
    names = ("first_name", "last_name") if part.has("customers.last_name") else ("name",)
    return [key for name in names if part.has(key := f"customers.{name}")]


def spell(connection: duckdb.DuckDBPyConnection, part: Part, profiles: dict[str, Profile]) -> None:
    """Give names and addresses that stand for customer numbers one spelling, the first one met.

    “Marie Dupont” and “MARIE DUPONT” are one customer, in this file and in the next; codes such as
    aB3 and ab3 stay two.
    """
    own = _number(part)
    if own is None or not values.is_text(own.sql_type):
        return
    cells = profiles[own.mapping.column].cells
    if not any("@" in cell or not re.search(r"\d", cell) for cell in cells):
        return
    cell, spelt = own.column, identifier(f"spelt_{part.number}")
    # Each different cell once, for what is a name takes long to tell.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE written AS SELECT {cell} AS _cell, {own.typed} AS _shown,"
        f" rv_named({own.typed}) AS _key, _first FROM (SELECT rv_clean({cell}) AS {cell},"
        f" min(_line) AS _first FROM {part.raw.relation} GROUP BY 1)"
    )
    connection.execute(
        f"INSERT INTO {_SPELLINGS}"
        " SELECT _key, regexp_replace(arg_min(_shown, _first), '\\s+', ' ', 'g') FROM written"
        f" WHERE _key IS NOT NULL AND _key NOT IN (SELECT _key FROM {_SPELLINGS}) GROUP BY _key"
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {spelt} AS SELECT _cell, _key, s._shown, _first"
        f" FROM written AS w JOIN {_SPELLINGS} AS s USING (_key) WHERE w._shown <> s._shown"
        " UNION ALL SELECT _cell, NULL, coalesce(rv_email(_shown), lower(_shown)), _first"
        " FROM written WHERE contains(_shown, '@') AND _shown IS DISTINCT FROM rv_email(_shown)"
    )
    found = summary(
        connection,
        "SELECT count(*) AS cells, count(DISTINCT _key) AS n,"
        f" arg_min(_shown, _first) FILTER (_key IS NOT NULL) AS name FROM {spelt}",
    )
    if found["cells"]:
        one = f"(SELECT _shown FROM {spelt} WHERE _cell = {cell})"
        typed = f"coalesce({one}, {own.typed})"
        part.fields[own.key] = replace(own, typed=typed)
    if found["n"]:
        part.notes.append(
            nmsg(
                "Column {header}: what differs only in capitals or blanks is one customer: {n} is"
                " written in several ways, {name}.",
                "Column {header}: what differs only in capitals or blanks is one customer: {n} are"
                " written in several ways, such as {name}.",
                found["n"], header=own.mapping.header or own.mapping.column, name=found["name"],
            )
        )  # fmt: skip


def counts(part: Part) -> tuple[str, str]:
    """SQL that counts the rows with a customer number, and those whose number is 0."""
    own = _number(part)
    if own is None:
        return "0", "0"
    column = identifier(own.key)
    return f"count({column})", f"count(*) FILTER ({column} = {_zero(own)})"


def _zero(own: Field) -> str:
    return "0" if own.typed == own.column and not values.is_text(own.sql_type) else "'0'"


def leave_nobody(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Tell rows of nobody from those of a customer, and give what has an address to its owner."""
    own = _number(part)
    if own is not None and (part.zeros or part.numbered < part.rows):
        _number_or_address(connection, part, own)
    if part.customer is not None and part.detection.table not in ("customers", *_NEEDED):
        _tell_unnamed(connection, part, own)


def _number_or_address(connection: duckdb.DuckDBPyConnection, part: Part, own: Field) -> None:
    column = identifier(own.key)
    if (
        part.zeros
        and part.detection.table not in _NEEDED
        and _zero_is_nobody(connection, part, own)
    ):
        column = f"nullif({column}, {_zero(own)})"
        if part.detection.table == "customers" and part.customer:
            part.customer = part.customer.replace(identifier(own.key), column)
        else:
            part.customer = column
    elif part.numbered == part.rows:
        return
    if part.addresses and part.detection.table not in ("customers", *_NEEDED):
        _go_by_address(connection, part, column)


def _go_by_address(connection: duckdb.DuckDBPyConnection, part: Part, number: str) -> None:
    """Who bought without an account is known by the address that the order went to.

    Where an account of the same file has that e-mail address, it is the account's customer.
    """
    options = [f"CAST({sql} AS VARCHAR)" for sql in (number, *(sql for _, sql in part.addresses))]
    part.addressed = True
    name, email = part.addresses[0]
    if name != "email":
        part.customer = f"coalesce({', '.join(options)})"
        return
    addressed = identifier(f"addressed_{part.number}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {addressed} AS WITH accounts AS (SELECT {email} AS address,"
        f" min({options[0]}) AS account FROM {part.relation} WHERE {number} IS NOT NULL"
        f" AND {email} IS NOT NULL GROUP BY {email} HAVING count(DISTINCT {number}) = 1)"
        f" SELECT r.*, coalesce({options[0]}, account, {', '.join(options[1:])}) AS _customer_of"
        f" FROM {part.relation} AS r LEFT JOIN accounts ON {email} = address ORDER BY _line"
    )
    part.relation, part.is_table, part.customer = addressed, True, "_customer_of"


def _zero_is_nobody(connection: duckdb.DuckDBPyConnection, part: Part, own: Field) -> bool:
    """Whether the customer number 0 stands for all who have none, and say so.

    Shops write 0 for guests. Where addresses stand beside it, two different ones are two people;
    where none does, guests are those who come more often than any customer.
    """
    column = identifier(own.key)
    zero = f"{column} = {_zero(own)}"
    header = own.mapping.header or own.mapping.column
    beside = [sql for _, sql in part.addresses]
    name = _name(part)
    beside += [name] if name else []
    if beside:
        found = summary(
            connection,
            f"SELECT count(who) AS told, count(DISTINCT who) AS several FROM"
            f" (SELECT coalesce({', '.join(beside)}) AS who FROM {part.accepted} WHERE {zero})",
        )
        shop = part.detection.export == "WooCommerce"
        if found["several"] > 1 or (found["told"] and shop):
            by_address = bool(part.addresses)
            rows = found["told"] if by_address else part.zeros
            part.notes.append(_guests(rows, header, by_address=by_address))
            return True
        if found["told"]:
            return False
    most = summary(
        connection,
        f"SELECT max(n) AS n FROM (SELECT count(*) AS n FROM {part.accepted}"
        f" WHERE {column} IS NOT NULL AND NOT {zero} GROUP BY {column})",
    )["n"]
    if part.detection.table != "customers" and part.zeros > (most or 0):
        part.notes.append(_guests(part.zeros, header, by_address=False))
        return True
    part.notes.append(
        nmsg(
            "Column {header}: 0 is read as a customer like any other ({n} row). If it stands for"
            " sales without a customer, empty those cells.",
            "Column {header}: 0 is read as a customer like any other ({n} rows). If it stands for"
            " sales without a customer, empty those cells.",
            part.zeros, header=header,
        )
    )  # fmt: skip
    return False


def _guests(rows: int, header: str, *, by_address: bool) -> Message:
    if by_address:
        return nmsg(
            "Column {header}: 0 is no customer, but stands for buyers without an account: {n} row"
            " was given to the customer whom its address names.",
            "Column {header}: 0 is no customer, but stands for buyers without an account: {n} rows"
            " were given to the customers whom their addresses name.",
            rows, header=header,
        )  # fmt: skip
    return nmsg(
        "Column {header}: 0 is no customer, but stands for sales without one: {n} row was read"
        " as of nobody.",
        "Column {header}: 0 is no customer, but stands for sales without one: {n} rows were read"
        " as of nobody.",
        rows, header=header,
    )  # fmt: skip


def _tell_unnamed(connection: duckdb.DuckDBPyConnection, part: Part, own: Field | None) -> None:
    """Say which words were read as nobody, “Client comptoir”, and whether most rows name nobody."""
    found = summary(
        connection, f"SELECT count(*) AS rows, count({part.customer}) AS named FROM {part.accepted}"
    )
    if found["named"] == found["rows"]:
        return
    held = own or part.fields[_named_by(part)[-1]]
    header = held.mapping.header or held.mapping.column
    if source := _words(part, own):
        words = summary(connection, f"SELECT count(*) AS n, mode(word) AS word FROM ({source})")
        if words["n"]:
            part.notes.append(
                nmsg(
                    "Column {header}: “{word}” names nobody: {n} row was read as without a"
                    " customer.",
                    "Column {header}: “{word}” names nobody: {n} rows were read as without a"
                    " customer.",
                    words["n"], header=header, word=words["word"],
                )
            )  # fmt: skip
    if not found["named"]:
        part.notes.append(
            msg(
                "Column {header} names nobody on any row, so the file counts in no figure of"
                " customers. If another column says who they are, give it the meaning customer_id.",
                header=header,
            )
        )
    elif part.detection.table != "orders" and 2 * found["named"] < found["rows"]:
        # Of orders it is said with what they come to.
        part.notes.append(
            msg(
                "Column {header} names nobody on {n} of {rows} rows: these count in no figure of"
                " customers.",
                header=header, n=found["rows"] - found["named"], rows=found["rows"],
            )
        )  # fmt: skip


def _words(part: Part, own: Field | None) -> str | None:
    """SQL of what rows without a customer have in its place, where it is a word for nobody."""
    if own is not None and values.is_text(own.sql_type):
        cell = f"rv_clean({own.column})"
        return (
            f"SELECT {cell} AS word FROM {part.raw.relation} WHERE rv_nobody({cell}) AND _line IN"
            f" (SELECT _line FROM {part.accepted} WHERE {part.customer} IS NULL)"
        )
    if part.identity == "name":
        name = f"trim(concat_ws(' ', {', '.join(map(identifier, _named_by(part)))}))"
        return f"SELECT {name} AS word FROM {part.accepted} WHERE rv_nobody(rv_folded({name}))"
    return None


def _named_by(part: Part) -> list[str]:
    """The keys of the columns that say who a customer without a number is."""
    if part.identity != "name":
        return [f"customers.{part.identity}"]
    return _name_columns(part)
