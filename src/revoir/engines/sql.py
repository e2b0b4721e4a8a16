"""SQL text from untrusted names and values: everything that is not a keyword passes here."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Quote a name for DuckDB, PostgreSQL and any engine with standard identifiers.

    Args:
        name: The name of a table, view or column, whatever it holds.

    Returns:
        The name between double quotes, its own doubled.

    Raises:
        ValueError: The name is empty or holds a NUL, which no engine can carry.

    Examples:
        >>> print(identifier('montant "TTC" net'))
        "montant ""TTC"" net"
    """
    if not name or "\x00" in name:
        raise ValueError(f"no SQL name can be {name!r}")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a value as an SQL string.

    Args:
        text: The value, whatever it holds.

    Returns:
        The value between single quotes, its own doubled.

    Raises:
        ValueError: The value holds a NUL, which SQL text cannot carry.

    Examples:
        >>> literal("L'Haÿ-les-Roses")
        "'L''Haÿ-les-Roses'"
    """
    if "\x00" in text:
        raise ValueError("SQL text cannot carry a NUL")
    return "'" + text.replace("'", "''") + "'"
