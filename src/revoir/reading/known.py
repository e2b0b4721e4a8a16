"""Exports of shops, tills, payments and contact software that are known by their headers."""

from __future__ import annotations

from revoir.language import msg
from revoir.reading.declared import Export
from revoir.reading.detect import Detection, attribute
from revoir.reading.exports import EXPORTS
from revoir.reading.mapping import ColumnMapping
from revoir.reading.raw import RawTable
from revoir.tables import plain_name


def recognise(raw: RawTable) -> Detection | None:
    """Whether a raw table is an export that is known by its headers.

    Returns:
        What its columns mean, or None.
    """
    names = [plain_name(header) for header in raw.headers]
    held = set(names)
    for export in EXPORTS:
        if export.marks <= held and (not export.any_of or export.any_of & held):
            return _detection(export, raw, names)
    return None


def _detection(export: Export, raw: RawTable, names: list[str]) -> Detection:
    columns: list[ColumnMapping] = []
    used: set[str] = set()
    reason = msg("the export of {name} calls it so", name=export.name)
    for column, header, name in zip(raw.columns, raw.headers, names, strict=True):
        target = export.columns.get(name)
        if target == "attribute" or target in used:
            target = None
        elif target is None and _ignored(export, name):
            columns.append(
                ColumnMapping(column, header, None, None, 1.0,
                              msg("the figures have no use for it: not read"))
            )  # fmt: skip
            continue
        if target:
            used.add(target)
            columns.append(
                ColumnMapping(column, header, target, target.rpartition(".")[2], 0.99, reason,
                              export.formats.get(name))
            )  # fmt: skip
        else:
            columns.append(attribute(column, header, export.table))
    return Detection(
        export.table, 0.99, msg("it has the headers of an export of {name}", name=export.name),
        tuple(columns), export.name,
        next((c for c, name in zip(raw.columns, names, strict=True) if name == export.told_once),
             None),
        export,
    )  # fmt: skip


def _ignored(export: Export, name: str) -> bool:
    return any(
        name == word or (word.endswith("_") and name.startswith(word))
        or (len(word) > 8 and name.startswith(word))
        for word in export.ignored
    )  # fmt: skip
