"""The frame of `--help` in the reader's language.

Typer words most of it by gettext: it is given our catalogue. What it writes in
plain English is worded by the two classes here.
"""

from __future__ import annotations

import gettext
import os
from typing import Any

from typer.core import TyperCommand, TyperGroup

from revoir.cli.common import T, language
from revoir.language import CATALOGUES

TYPERS = {
    T("Arguments"), T("Options"), T("Commands"), T("default: {default}"), T("required"),
    T("Show this message and exit."), T("Install completion for the current shell."),
    T("Show completion for the current shell, to copy it or customize the installation."),
}  # fmt: skip
"""What Typer says, named here for the catalogue."""


def speak_help() -> None:
    """Make gettext, which Typer asks, answer from our catalogue in our language."""
    os.environ["LANGUAGE"] = language()
    gettext.bindtextdomain("revoir", CATALOGUES)
    gettext.textdomain("revoir")


class Command(TyperCommand):
    """A command, with its usage line and the options that Typer adds in the language."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the line that begins with “Usage”."""
        _write_usage(self, ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Options and arguments, those that Typer adds among them."""
        return _worded(super().get_params(ctx))


class Group(TyperGroup):
    """The program, with its usage line and the options that Typer adds in the language."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the line that begins with “Usage”."""
        _write_usage(self, ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Options, those that Typer adds among them."""
        return _worded(super().get_params(ctx))


def _write_usage(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix=T("Usage: "))


def _worded(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "help", None):
            param.help = gettext.gettext(param.help)
    return params
