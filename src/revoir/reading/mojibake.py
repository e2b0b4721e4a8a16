"""Text that was encoded twice ("Ã©" for "é"): repaired where the whole column agrees."""

from __future__ import annotations

import re

from revoir.engines.sql import identifier
from revoir.language import Message, msg
from revoir.reading.scratch import Scratch

_TRACE = re.compile(
    "[ÂÃâ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122 ]"
)


def repaired(text: str) -> str | None:
    """Undo one encoding too many.

    Args:
        text: Text that may have been written in UTF-8, read as Windows-1252, and written again.

    Returns:
        The text as it was meant, or None where it was not encoded twice.

    Examples:
        >>> repaired("HÃ©lÃ¨ne"), repaired("Hélène")
        ('Hélène', None)
    """
    data = bytearray()
    # The no-break space of "à" (C3 A0) often became a plain one on the way.
    for letter in text.replace("Ã ", "Ã\u00a0"):
        try:
            data += letter.encode("cp1252")
        except UnicodeEncodeError:
            if ord(letter) > 0xFF:
                return None
            data.append(ord(letter))
    try:
        again = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return again if again != text else None


def repair(
    table: str, names: list[str], headers: list[str], scratch: Scratch
) -> tuple[list[str], list[Message]]:
    """Repair the columns of a table that were encoded twice throughout.

    Args:
        table: Plain name of the DuckDB table.
        names: Its columns of text.
        headers: What the file calls them.
        scratch: The connection.

    Returns:
        The headers, repaired too, and what was done.
    """
    notes: list[Message] = []
    headers = [(repaired(h) or h) if _TRACE.search(h) else h for h in headers]
    for name, header in zip(names, headers, strict=True):
        column = identifier(name)
        values = [
            row[0]
            for row in scratch.rows(
                f"select distinct {column} from {identifier(table)}"
                f" where not regexp_full_match({column}, '[\\x00-\\x7F]*', 's')"
            )
        ]
        if not any(_TRACE.search(value) for value in values):
            continue
        meant = {value: repaired(value) for value in values}
        shown = header or name
        if not all(meant.values()):
            notes.append(
                msg(
                    "Column {column}: some accents were encoded twice (“Ã©”) and others were not;"
                    " nothing was changed.",
                    column=shown,
                )
            )
            continue
        _replace(table, name, {value: text for value, text in meant.items() if text}, scratch)
        notes.append(
            msg(
                "Column {column}: accents that were encoded twice (“Ã©”) were repaired.",
                column=shown,
            )
        )
    return headers, notes


def _replace(table: str, name: str, meant: dict[str, str], scratch: Scratch) -> None:
    import pyarrow as pa

    pairs = f"{table}_pairs"
    scratch.connection.register(
        pairs, pa.table({"was": list(meant), "meant": list(meant.values())})
    )
    column = identifier(name)
    scratch.connection.execute(
        f"update {identifier(table)} set {column} = pairs.meant from {identifier(pairs)} as pairs"
        f" where {column} = pairs.was"
    )
    scratch.connection.unregister(pairs)
