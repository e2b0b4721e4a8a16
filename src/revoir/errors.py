"""The one exception tree: every error says what, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from revoir.language import Message, msg, written


@dataclass(frozen=True)
class Where:
    """The place in the user's material that an error speaks of.

    Attributes:
        file: The name of the file, without its folder.
        sheet: The sheet of a workbook.
        line: The line in the file as an editor or spreadsheet counts it, from 1.
        column: The header of the column as the file writes it.
        value: The value as the file writes it.
    """

    file: str | None = None
    sheet: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None

    @property
    def parts(self) -> list[Message | str]:
        """What is known of the place, to be told in any language."""
        parts: list[Message | str] = []
        if self.file:
            parts.append(self.file)
        if self.sheet:
            parts.append(msg("sheet {sheet}", sheet=self.sheet))
        if self.line is not None:
            parts.append(msg("line {line}", line=str(self.line)))
        if self.column:
            parts.append(msg("column {column}", column=self.column))
        if self.value is not None:
            shown = self.value if len(self.value) <= 60 else self.value[:57] + "…"
            parts.append(msg("value “{value}”", value=shown))
        return parts

    def text(self, language: str = "en") -> str:
        """Name the place in words; empty when nothing is known."""
        return written(self.parts, language)


class RevoirError(Exception):
    """What the user must know: what happened, where, and the way out.

    Args:
        what: What happened.
        where: The place in the user's material.
        remedy: How to mend it.

    Examples:
        >>> error = InputError(msg("The file is empty."), where=Where(file="clients.csv"))
        >>> error.text("en")
        'clients.csv: The file is empty.'
    """

    exit_code = 3

    def __init__(
        self, what: Message, *, where: Where | None = None, remedy: Message | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where or Where()
        self.remedy = remedy

    def text(self, language: str = "en") -> str:
        """Tell the error in one line."""
        place = self.where.text(language)
        separator = " : " if language == "fr" else ": "
        line = (
            f"{place}{separator}{self.what.text(language)}" if place else self.what.text(language)
        )
        return f"{line} {self.remedy.text(language)}" if self.remedy else line

    def __str__(self) -> str:
        return self.text("en")


class UsageError(RevoirError):
    """The question was not well put: an unknown metric, column, option or expression."""

    exit_code = 2


class InputError(RevoirError):
    """The input cannot be used at all."""

    exit_code = 3


class EngineError(RevoirError):
    """The engine could not be reached or could not answer."""

    exit_code = 3
