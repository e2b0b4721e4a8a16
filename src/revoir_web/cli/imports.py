"""`revoir import`: what the wizard does, without the page."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from revoir.cli.common import language, say, unread
from revoir.errors import InputError, RevoirError, UsageError, Where
from revoir.language import Number, msg, nmsg
from revoir.tables import CALLED

if TYPE_CHECKING:
    from revoir_web.common.models import Job
    from revoir_web.ingest.models import Import

QUARANTINED = 1
"""Exit code: done, and rows were set aside, or a file was not recognised."""


def import_files(
    files: list[Path], *, mapping: Path | None, quarantine: Path | None, again: bool
) -> None:
    """Bring files into the lake of an installation.

    Args:
        files: What to read.
        mapping: What columns mean (None: what is known from earlier imports).
        quarantine: Where to write the rows that were not accepted.
        again: Also files that were imported before.

    Raises:
        RevoirError: Nothing of it can be used.
        Exit: With 1 when rows were set aside, or a file was not recognised.
    """
    from revoir_web.cli.serve import prepare
    from revoir_web.ingest import actions
    from revoir_web.ingest.models import Import

    for path in [*files, *([mapping] if mapping else [])]:
        if not path.is_file():
            raise InputError(
                msg("There is no such file."),
                where=Where(file=str(path)),
                remedy=msg("Check the path."),
            )
    prepare()
    held = actions.begin(origin=Import.Origin.COMMAND)
    try:
        for path in files:
            actions.add_file(held=held, name=path.name, content=path)
        text = mapping.read_text(encoding="utf-8-sig") if mapping else None
        with _working():
            _wait(actions.read(held=held, mapping=text))
            held.refresh_from_db()
            _tell_read(held, quarantine)
            _wait(actions.confirm(held=held, again=again))
    except RevoirError:
        held.refresh_from_db()
        if actions.settle(held).state in actions.OPEN:
            actions.cancel(held=held)
        raise
    held.refresh_from_db()
    for table, counts in (held.landed or {}).items():
        told = msg(
            "{table}: {new} new, {changed} changed, {unchanged} as before",
            table=CALLED[table],
            **{name: Number(count, 0) for name, count in counts.items()},
        )
        say(told.text(language()))
        if again := counts.get("restarted"):
            more = nmsg(
                "{n} order has the number of another day's order: numbers start again, so its day"
                " was put behind its number.",
                "{n} orders have the numbers of another day's orders: numbers start again, so"
                " their day was put behind their numbers.",
                again,
            )
            say(more.text(language()))
    say(msg("Import: {id}", id=str(held.pk)).text(language()))
    if held.rows_quarantined or _is_left_out(held):
        raise typer.Exit(QUARANTINED)


def _tell_read(held: Import, quarantine: Path | None) -> None:
    """Say what was understood, and write what was set aside where that was asked."""
    from revoir_web.ingest import understanding

    told = msg(
        "Rows: {rows_in} = accepted {accepted} + in quarantine {quarantined} +"
        " duplicates {duplicate}",
        rows_in=Number(held.rows_in, 0),
        accepted=Number(held.rows_accepted, 0),
        quarantined=Number(held.rows_quarantined, 0),
        duplicate=Number(held.rows_duplicate, 0),
    )
    say(told.text(language()))
    files = _files(held)
    for file in files:
        if file["rows_unread"]:
            say(unread(file["file"], file["sheet"], file["rows_unread"]).text(language()))
    if quarantine is None or not held.rows_quarantined:
        return
    written = [place for place, file in enumerate(files) if file["rows_quarantined"]]
    for number, place in enumerate(written, 1):
        several = f".{number}" if len(written) > 1 else ""
        target = quarantine.with_name(f"{quarantine.stem}{several}{quarantine.suffix}")
        shutil.copyfile(understanding.quarantine_of(held, place), target)


def _files(held: Import) -> list[dict[str, Any]]:
    """What was understood of each file."""
    from revoir_web.ingest import understanding

    found: list[dict[str, Any]] = (understanding.kept(held) or {"files": []})["files"]
    return found


def _is_left_out(held: Import) -> bool:
    """Whether one of the files was not recognised; a workbook has sheets that are no lists."""
    files = _files(held)
    known = {file["file"] for file in files if file["table"]}
    return any(file["rows_unread"] and file["file"] not in known for file in files)


@contextmanager
def _working() -> Iterator[None]:
    """Do jobs in this process meanwhile, beside the workers that run, if any do."""
    from revoir_web.common.worker import Worker

    logging.getLogger("revoir.worker").setLevel(logging.WARNING)  # the terminal hears us
    stop = threading.Event()
    worker = threading.Thread(target=Worker(threads=1, stop=stop).work, daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def _wait(job: Job) -> None:
    """Wait until a job has ended well.

    Raises:
        UsageError: It has not.
    """
    while not job.ended:
        time.sleep(0.1)
        job.refresh_from_db()
    if job.state != job.State.DONE:
        raise UsageError(job.failure or msg("The import was stopped."))
