"""The commands of the application, attached to `revoir` by an entry point.

This module is read by every run of `revoir`, where only the core may be installed: it imports
Typer and nothing of the web. Each command imports what it needs when it runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from revoir.cli.common import T
from revoir.cli.help import Command, Group

_DATA = typer.Option("--data", help=T("The folder of the installation."))
_HOST = typer.Option("--host", help=T("The address to listen on."))
_PORT = typer.Option("--port", help=T("The port to listen on."))
_ROLE = typer.Option("--role", help=T("owner, manager, advisor or analyst."))
_SCOPE = typer.Option("--scope", help=T("What it allows; several times for several rights."))
_MAPPING = typer.Option(
    "--mapping", metavar="FILE.yml", help=T("What columns mean, as `revoir check` writes it.")
)
_QUARANTINE = typer.Option(
    "--quarantine", metavar="FILE.csv", help=T("Write the rows that were not accepted there.")
)
_ERASURES = typer.Option(
    "--erasures",
    metavar="FILE.jsonl",
    help=T("The newest list of erasures, where it is not beside the backup."),
)
_AGAIN = typer.Option("--again", help=T("Also files that were imported before."))


def serve(
    data: Annotated[Path | None, _DATA] = None,
    host: Annotated[str, _HOST] = "127.0.0.1",
    port: Annotated[int, _PORT] = 8000,
) -> None:
    """Start everything: web, worker and scheduler."""
    _at(port)
    _ready(data)
    from revoir_web.cli.serve import serve_all

    raise typer.Exit(serve_all(host=host, port=port))


def tour(
    data: Annotated[Path, _DATA] = Path("demo/installation"),
    port: Annotated[int, _PORT] = 8000,
) -> None:
    """Fill an installation with an invented shop, and start it on this machine."""
    _at(port)
    _ready(data)
    from revoir_web.cli.serve import serve_all
    from revoir_web.cli.tour import fill, tell

    fill()
    tell(port)
    raise typer.Exit(serve_all(host="127.0.0.1", port=port))


def web(
    data: Annotated[Path | None, _DATA] = None,
    host: Annotated[str, _HOST] = "127.0.0.1",
    port: Annotated[int, _PORT] = 8000,
) -> None:
    """Start the web server alone."""
    _at(port)
    _ready(data)
    from revoir_web.cli.serve import serve_web

    serve_web(host=host, port=port)


def worker(data: Annotated[Path | None, _DATA] = None) -> None:
    """Start a worker alone."""
    _ready(data)
    from revoir_web.cli.serve import work

    work()


def scheduler(data: Annotated[Path | None, _DATA] = None) -> None:
    """Start the scheduler alone."""
    _ready(data)
    from revoir_web.cli.serve import schedule

    schedule()


def user_create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help=T("What they sign in with."))],
    name: Annotated[str, typer.Option("--name", help=T("How they are called."))] = "",
    role: Annotated[str, _ROLE] = "owner",
    data: Annotated[Path | None, _DATA] = None,
) -> None:
    """Make an account; the password is asked for."""
    _ready(data)
    from revoir_web.cli.accounts import create_user

    create_user(email=email, name=name, role=role)


def key_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help=T("What the key is for."))],
    scope: Annotated[list[str], _SCOPE],
    data: Annotated[Path | None, _DATA] = None,
) -> None:
    """Make an API key and print it, once."""
    _ready(data)
    from revoir_web.cli.accounts import create_key

    create_key(name=name, scopes=scope)


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help=T("The file to write."))],
    data: Annotated[Path | None, _DATA] = None,
) -> None:
    """Copy database, lake, files and secret into one file."""
    _ready(data, check=False)
    from revoir_web.cli.copies import back_up

    back_up(target)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help=T("The backup."))],
    data: Annotated[Path | None, _DATA] = None,
    erasures: Annotated[Path | None, _ERASURES] = None,
) -> None:
    """Bring a backup back into an empty folder."""
    from revoir_web.cli.copies import bring_back
    from revoir_web.cli.ready import want_extra

    want_extra()
    bring_back(source, data, erasures)


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=T("What to bring in."))],
    mapping: Annotated[Path | None, _MAPPING] = None,
    quarantine: Annotated[Path | None, _QUARANTINE] = None,
    again: Annotated[bool, _AGAIN] = False,
    data: Annotated[Path | None, _DATA] = None,
) -> None:
    """Bring files into the application, as the page of imports does."""
    _ready(data)
    from revoir_web.cli.imports import import_files

    import_files(files, mapping=mapping, quarantine=quarantine, again=again)


def manage(context: typer.Context, data: Annotated[Path | None, _DATA] = None) -> None:
    """Pass a command on to Django."""
    _ready(data, check=False)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["revoir manage", *context.args])


def _ready(data: Path | None, *, check: bool = True) -> None:
    """Set Django up on a data folder.

    Raises:
        UsageError: The extra is not installed, or the settings are unsafe.
    """
    from revoir_web.cli.ready import make_ready

    make_ready(data, check=check)


def _at(port: int) -> None:
    """Let links lead to this machine's port, unless the settings say where people come in."""
    os.environ.setdefault("REVOIR_BASE_URL", f"http://127.0.0.1:{port}")


def attach(app: typer.Typer) -> None:
    """Add the commands to `revoir`; its entry point in pyproject.toml.

    Args:
        app: The command line of the core.
    """
    groups = {
        "user": typer.Typer(cls=Group, help=T("Accounts of people."), no_args_is_help=True),
        "key": typer.Typer(cls=Group, help=T("Keys of programs."), no_args_is_help=True),
    }
    look: dict[str, Any] = {"cls": Command, "options_metavar": T("[OPTIONS]")}
    for command, text in (
        (serve, T("Start the application: web, worker and scheduler.")),
        (tour, T("Fill an installation with an invented shop, and start it on this machine.")),
        (web, T("Start the web server alone.")),
        (worker, T("Start a worker alone.")),
        (scheduler, T("Start the scheduler alone.")),
        (backup, T("Copy database, lake, files and secret into one file.")),
        (restore, T("Bring a backup back into an empty folder.")),
    ):
        app.command(help=text, **look)(command)
    told = T("Bring files into the application, as the page of imports does.")
    app.command("import", help=told, **look)(import_)
    groups["user"].command("create", help=T("Make an account; the password is asked for."), **look)(
        user_create
    )
    groups["key"].command("create", help=T("Make an API key and print it, once."), **look)(
        key_create
    )
    for name, group in groups.items():
        app.add_typer(group, name=name)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(help=T("Pass a command on to Django."), context_settings=passed_on, **look)(manage)
