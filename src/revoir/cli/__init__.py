"""The command line: `revoir`, one file a command group.

Exit codes: 0 the question was answered (for `check` and `import`: no row was quarantined); 1
`check` or `import` put rows in quarantine, or `import` did not recognise a file; 2 wrong usage; 3
the input cannot be used; 130 stopped by the user.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer

from revoir.cli import (
    actions,
    analyses,
    check,
    churn,
    clv,
    demo,
    lake,
    next,
    recommend,
    report,
    segments,
    signals,
    template,
)
from revoir.cli.common import T, language, say
from revoir.cli.help import Command, Group, speak_help

_MISUSE: type[Exception] = typer.BadParameter.__mro__[1]
"""What Typer raises where an option, argument or command is not right (its public parent)."""

speak_help()
app = typer.Typer(
    name="revoir",
    cls=Group,
    options_metavar=T("[OPTIONS]"),
    subcommand_metavar=T("COMMAND [ARGUMENTS]…"),
    help=T(
        "Keep your customers: measure retention, see who leaves and why, and what to do about it."
    ),
    epilog=T(
        "Exit codes: 0 answered, 1 rows in quarantine (check, import) or a file not recognised"
        " (import), 2 wrong usage, 3 unusable input."
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    # Rich panels around the help take twice as long to import as everything else together.
    rich_markup_mode=None,
)
for _command, _help in (
    (report.report, T("Make the report: figures, what they mean and what to do.")),
    (check.check, T("Read files and say what was understood, accepted and put in quarantine.")),
    (analyses.metric, T("Compute one metric.")),
    (analyses.metrics, T("List every metric with its definition.")),
    (analyses.cohorts, T("Follow customers from the period of their first purchase.")),
    (segments.segments, T("Sort customers into RFM segments, or by a rule.")),
    (clv.clv, T("Say what each customer will bring in, and how sure that is.")),
    (next.next_, T("Say when each customer is likely to buy next, and who is overdue.")),
    (churn.churn, T("List the customers to save: who may leave, how likely, and why.")),
    (signals.signals, T("Say who shows early signs of leaving, and how often those were right.")),
    (actions.actions, T("Say what to do with each customer now, and from which figure.")),
    (recommend.recommend, T("Recommend products to customers, or say what goes with a product.")),
    (template.template, T("Write an Excel file to fill in.")),
    (demo.demo, T("Generate the files of a French shop whose truth is known.")),
):
    app.command(
        _command.__name__.rstrip("_"), help=_help, cls=Command, options_metavar=T("[OPTIONS]")
    )(_command)
app.add_typer(
    lake.app, name="lake", help=T("Keep what is imported again and again, and measure it.")
)


def _attach_extensions() -> None:
    """Add the commands that other packages of this distribution declare as entry points."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        declared = distribution("revoir").entry_points
    except PackageNotFoundError:  # run from a folder that was not installed
        return
    for point in declared:
        if point.group == "revoir.commands":
            point.load()(app)


_attach_extensions()


def _version(shown: bool) -> None:
    if shown:
        from revoir import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help=T("Say the version and stop.")
    ),
) -> None:
    del version


def main() -> NoReturn:
    """Run a command; whatever goes wrong is told in one line, without a traceback."""
    from revoir.errors import RevoirError

    try:
        sys.exit(_run())
    except RevoirError as error:
        say(error.text(language()), bad=True)
        sys.exit(error.exit_code)
    except _MISUSE as error:
        _tell_misuse(error)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        say(T("Stopped."), bad=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("REVOIR_DEBUG"):
            raise
        say(_unforeseen(error), bad=True)
        sys.exit(3)


def _run() -> int:
    """Run the command; its exit code."""
    stdout = sys.stdout
    try:
        code = app(standalone_mode=False)
        stdout.flush()
    except (BrokenPipeError, SystemExit) as left:
        # Typer puts another stream in place of one that nobody reads and leaves with 1, which is
        # ours for quarantined rows. Whoever read has had enough, as `head` does: that is no error.
        if isinstance(left, SystemExit) and sys.stdout is stdout:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _tell_misuse(error: Any) -> None:
    """Say in one line what of the command line itself is not understood."""
    from revoir.errors import UsageError
    from revoir.language import msg

    kind = type(error).__name__
    close = list(getattr(error, "possibilities", None) or ())
    if kind == "NoArgsIsHelpError":
        error.show()
        return
    param = getattr(error, "param", None)
    options = [name for name in param.opts if name.startswith("-")] if param else []
    hint = ", ".join(options) or (param.metavar or param.name if param else "")
    if kind == "MissingParameter":
        what = msg("{name} is missing.", name=hint)
    elif kind == "NoSuchOption":
        what = msg("There is no option “{name}”.", name=error.option_name)
    elif str(error).startswith("No such command"):
        # No such command 'reprot'. Did you mean 'report'?
        typed, *near = str(error).split("'")[1::2]
        what, close = msg("There is no command “{name}”.", name=typed), near
    elif kind == "BadOptionUsage":
        what = msg("{name} needs a value.", name=error.option_name)
    elif hint:
        what = msg("{name} cannot take this value.", name=hint)
    else:
        what = msg("The command is not understood: {why}", why=error.format_message())
    remedy = (
        msg("Did you mean {names}?", names=close)
        if close
        else msg("`{command} -h` says what it takes.", command=error.ctx.command_path)
        if error.ctx
        else None
    )
    say(UsageError(what, remedy=remedy).text(language()), bad=True)


def _unforeseen(error: Exception) -> str:
    from revoir.language import msg

    first = (str(error).strip().splitlines() or [""])[0][:200]
    told = msg(
        "Something that was not foreseen went wrong ({kind}: {text}). Please report it;"
        " REVOIR_DEBUG=1 shows where it happened.",
        kind=type(error).__name__,
        text=first,
    )
    return told.text(language())
