"""Backup and restore from the command line."""

from __future__ import annotations

import os
from pathlib import Path

from revoir.cli.common import language, say
from revoir.errors import UsageError, Where
from revoir.language import msg, nmsg


def back_up(target: Path) -> None:
    """Write a backup and say what is in it.

    Args:
        target: The file to write.
    """
    from django.conf import settings

    from revoir_web import backup
    from revoir_web.common import audit

    copy = backup.back_up(target)
    audit.record("backup", details={"files": copy.files, "rows": copy.rows})
    said = msg(
        "{file}: {files} and {rows}, {size} MB.",
        file=copy.path.name,
        files=nmsg("{n} file", "{n} files", copy.files),
        rows=nmsg("{n} row", "{n} rows", copy.rows),
        size=round(copy.size / 1e6, 1),
    )
    say(said.text(language()))
    if "://" in str(settings.LAKE):
        say(
            msg("The lake is in a bucket and is not in it: keep its versions there.").text(
                language()
            )
        )


def bring_back(source: Path, data: Path | None, erasures: Path | None = None) -> None:
    """Bring a backup back into an empty folder and an empty database.

    Persons who were erased since it was made are erased again before anybody sees them.

    Args:
        source: The backup.
        data: The folder (None: REVOIR_DATA, else ./revoir-data).
        erasures: The newest list of erasures, where it lies elsewhere.

    Raises:
        UsageError: The backup is unusable, or something stands where it is to go.
    """
    from revoir_web import backup
    from revoir_web.cli.ready import make_ready

    folder = Path(data or os.environ.get("REVOIR_DATA") or "revoir-data").resolve()
    url = os.environ.get("REVOIR_DATABASE_URL", "")
    if url.startswith("sqlite"):
        raise UsageError(
            msg("A backup brings its own SQLite file into the data folder."),
            remedy=msg("Take REVOIR_DATABASE_URL away."),
        )
    lake = os.environ.get("REVOIR_LAKE")
    if erasures is not None and not erasures.is_file():
        raise UsageError(msg("There is no such file."), where=Where(file=erasures.name))
    manifest = backup.unpack(
        source, folder, lake if lake and "://" not in lake else None,
        [erasures] if erasures else [],
    )  # fmt: skip
    make_ready(folder, check=False)
    backup.load(source, manifest)
    from revoir_web.cli.serve import prepare

    prepare()
    from revoir_web.consents.erasure import erase_again

    again = erase_again()
    said = nmsg(
        "Brought back: {n} row, as of {day}.",
        "Brought back: {n} rows, as of {day}.",
        sum(manifest["rows"].values()),
        day=manifest["made_at"][:10],
    )
    say(said.text(language()))
    if again:
        say(
            nmsg(
                "{n} person who was erased since is erased again.",
                "{n} persons who were erased since are erased again.",
                again,
            ).text(language())
        )
    if not manifest["erasures_known"]:
        told = msg(
            "No list of later erasures was found. If persons were erased after {day}, restore again"
            " with --erasures and the newest erasures.jsonl.",
            day=manifest["made_at"][:10],
        )
        say(told.text(language()), bad=True)
