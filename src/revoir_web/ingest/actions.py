"""What can be done to imports; pages, the API, commands and sources call the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
import unicodedata
import uuid
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir.tables import plain_name
from revoir_web.accounts.models import User
from revoir_web.common import audit, jobs, words
from revoir_web.common.models import Job
from revoir_web.ingest import understanding, webhooks
from revoir_web.ingest.models import Import, KnownMapping, Source, Upload

State = Import.State
BUSY = (State.READING, State.LANDING, State.UNDOING)
OPEN = (State.UPLOADING, State.READ, State.FAILED)
"""Where an import waits for somebody to say how it goes on."""
_CHUNK = 1 << 20
_FREE_MIN = 200 << 20
"""Bytes that stay free on the disk, whatever is uploaded."""
FILES_MAX = 500
AFTERWARDS = ("customers.index", "insights.refresh")
"""What is computed anew once rows have come or gone."""


def safe_name(name: str) -> str:
    r"""The name of a file without its folders and without what no file can be called.

    Examples:
        >>> safe_name("../../etc/passwd"), safe_name("..\\ventes.csv"), safe_name(" ")
        ('passwd', 'ventes.csv', 'file')
    """
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(c for c in unicodedata.normalize("NFC", last) if c.isprintable()).strip(". ")
    stem, dot, suffix = last.rpartition(".")
    if len(last.encode()) > 150:
        last = (stem if dot else last).encode()[:120].decode("utf-8", "ignore") + dot + suffix[:20]
    return last or "file"


@transaction.atomic
def begin(
    *,
    origin: str = Import.Origin.PAGE,
    by: Any = None,
    source: Source | None = None,
    lands_by_itself: bool = False,
) -> Import:
    """Make an import that has no files yet."""
    return Import.objects.create(
        origin=origin, created_by=_person(by), source=source, lands_by_itself=lands_by_itself
    )


def add_file(*, held: Import, name: str, content: IO[bytes] | Path) -> Upload:
    """Put a file into an import.

    Args:
        held: An import whose files are being chosen.
        name: What the file is called.
        content: What to copy; nothing is kept in memory.

    Returns:
        The file.

    Raises:
        UsageError: The import has been read, the disk is full, or the file is empty.
    """
    expect(held, *OPEN)
    if held.uploads.count() >= FILES_MAX:
        raise UsageError(
            msg("An import can have {n} files at most.", n=FILES_MAX),
            remedy=msg("Make another import of the others."),
        )
    upload = Upload(held=held, name=safe_name(name), size=0)
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        opened = content.open("rb") if isinstance(content, Path) else nullcontext(content)
        with opened as source, upload.path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                if shutil.disk_usage(settings.DATA).free < _FREE_MIN + len(chunk):
                    raise UsageError(
                        msg("The disk of the server is full."),
                        remedy=msg("Free some of it, and send the file again."),
                    )
                target.write(chunk)
                digest.update(chunk)
                upload.size += len(chunk)
        if not upload.size:
            raise UsageError(
                msg("The file “{name}” is empty.", name=upload.name),
                remedy=msg("Export it again."),
            )
    except BaseException:
        shutil.rmtree(upload.path.parent, ignore_errors=True)
        raise
    upload.sha256 = digest.hexdigest()
    try:
        with transaction.atomic():
            # Sending takes its time: what is being read by now would leave this file out.
            expect(_locked(held), *OPEN)
            upload.save(force_insert=True)
            _retitle(held)
    except BaseException:
        shutil.rmtree(upload.path.parent, ignore_errors=True)
        raise
    return upload


@transaction.atomic
def remove_file(*, held: Import, upload: Upload) -> None:
    """Take a file out of an import that has not been read."""
    expect(_locked(held), *OPEN)
    folder = upload.path.parent
    upload.delete()
    _retitle(held)
    transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


def _retitle(held: Import) -> None:
    names = list(held.uploads.values_list("name", flat=True)[:4])
    title = ", ".join(names[:3]) + ("…" if len(names) > 3 else "")
    held.title = title[:300]
    held.save(update_fields=["title", "updated_at"])


def same_files(held: Import) -> list[Upload]:
    """Files of earlier imports, in the lake now, with the same content as files of this one."""
    hashes = held.uploads.values_list("sha256", flat=True)
    return list(
        Upload.objects.filter(sha256__in=list(hashes), held__state=State.LANDED)
        .exclude(held=held)
        .select_related("held")
    )


@transaction.atomic
def read(*, held: Import, mapping: str | None = None, by: Any = None) -> Job:
    """Have the files of an import read.

    Args:
        held: The import.
        mapping: What the user says of the columns, as a mapping file (None: as before).
        by: Who asks.

    Returns:
        The job.

    Raises:
        UsageError: There is no file, or it is being read already.
    """
    held = _locked(held)
    expect(held, *OPEN)
    if not held.uploads.exists() and not held.location:
        raise UsageError(msg("There is no file to read."), remedy=msg("Choose one or more."))
    if mapping is not None:
        held.mapping = mapping
    job = jobs.enqueue("ingest.read", arguments={"held": str(held.pk)}, by=by.pk if by else None)
    _move(held, State.READING, job)
    return job


@transaction.atomic
def confirm(*, held: Import, by: Any = None, again: bool = False) -> Job:
    """Have what was read brought into the lake.

    Args:
        held: An import that was read.
        by: Who says yes.
        again: Also when the same file was imported before.

    Returns:
        The job.

    Raises:
        UsageError: It was not read, nothing of it was accepted, or it was imported before.
    """
    held = _locked(held)
    expect(held, State.READ)
    if not held.rows_accepted:
        raise UsageError(
            msg("No row was accepted: there is nothing to bring in."),
            remedy=msg("Correct the file, or what its columns mean."),
        )
    if not again and (before := same_files(held)):
        raise UsageError(
            msg("The file “{name}” was imported before.", name=before[0].name),
            remedy=msg("Undo that import first, or say that it is to be imported again."),
        )
    job = jobs.enqueue("ingest.land", arguments={"held": str(held.pk)}, by=by.pk if by else None)
    _move(held, State.LANDING, job)
    audit.record("import.confirm", actor=by, object=held, details=_counts(held))
    return job


@transaction.atomic
def cancel(*, held: Import, by: Any = None) -> None:
    """Give an import up before it is in the lake; its files are removed.

    Where a landing of it broke off, what had come in is taken out first, by a job.
    """
    held = _locked(held)
    expect(held, *OPEN, State.READING)
    if (job := held.job) is not None and not job.ended:
        jobs.cancel(job)
    audit.record("import.cancel", actor=by, object=held)
    _let_go(held, by=by)


@transaction.atomic
def give_up(*, held: Import) -> None:
    """As `cancel`, where nobody has asked for it: an import that has come in is left as it is."""
    held = _locked(held)
    if held.state in OPEN:
        _let_go(held)


def _let_go(held: Import, by: Any = None) -> None:
    if held.batch:
        _undo(held, by)
        return
    held.state = State.CANCELLED
    held.save(update_fields=["state", "updated_at"])
    transaction.on_commit(lambda: forget_files(held))


def _undo(held: Import, by: Any) -> Job:
    job = jobs.enqueue("ingest.undo", arguments={"held": str(held.pk)}, by=by.pk if by else None)
    _move(held, State.UNDOING, job)
    return job


@transaction.atomic
def undo(*, held: Import, by: Any = None) -> Job:
    """Have an import taken out of the lake again, all of it.

    Raises:
        UsageError: It is not in the lake.
    """
    held = _locked(held)
    expect(held, State.LANDED)
    job = _undo(held, by)
    audit.record("import.undo", actor=by, object=held, details=_counts(held))
    return job


def settle(held: Import) -> Import:
    """Bring an import up to date whose job ended without a word: stopped, or given up."""
    job = held.job if held.busy else None
    if job is None or not job.ended or job.state == Job.State.DONE:
        return held
    if held.state == State.READING and job.state == Job.State.CANCELLED:
        with transaction.atomic():
            locked = _locked(held)
            if locked.state == State.READING and locked.job_id == job.pk:
                _let_go(locked)
        held.refresh_from_db()
        return held
    # What broke off may have been done in part (`batch`): it is tried again, or taken out.
    back = {State.READING: State.FAILED, State.LANDING: State.READ, State.UNDOING: State.LANDED}
    state = back[State(held.state)]
    if held.state == State.UNDOING and held.landed_at is None:
        state = State.READ if held.files_removed_at is None else State.CANCELLED
    with transaction.atomic():
        settled = Import.objects.filter(pk=held.pk, state=held.state, job_id=job.pk).update(
            state=state, error=(job.error or {}).get("what")
        )
        if settled and job.state == Job.State.FAILED and held.state != State.UNDOING:
            webhooks.tell("import.failed", {"import": str(held.pk)})
    held.refresh_from_db()
    return held


def has_read(*, held: Import, understood: dict[str, Any], job: jobs.Running) -> None:
    """Keep what reading came to, and go on by itself where that was asked."""
    files = understood["files"]
    with transaction.atomic():
        job.fence()
        held = _locked(held)
        if held.state != State.READING:
            return
        for name in ("rows_in", "rows_accepted", "rows_quarantined", "rows_duplicate"):
            setattr(held, name, sum(file[name] for file in files))
        held.state = State.READ
        held.error = None
        held.save()
        if held.lands_by_itself and held.rows_accepted and not same_files(held):
            confirm(held=held, by=held.created_by)


def has_failed(*, held: Import, error: Any) -> None:
    """Keep why an import could not be read."""
    with transaction.atomic():
        failed = Import.objects.filter(pk=held.pk, state=State.READING).update(
            state=State.FAILED, error=words.to_json(error)
        )
        if failed:  # one that was given up meanwhile failed for nobody
            webhooks.tell("import.failed", {"import": str(held.pk)})


def has_landed(*, held: Import, landed: dict[str, Any], job: jobs.Running) -> None:
    """Keep what landing came to, remember the mapping, and have the figures computed."""
    with transaction.atomic():
        job.fence()
        held = _locked(held)
        if held.state == State.LANDED:
            return
        held.state = State.LANDED
        held.landed = landed
        held.landed_at = timezone.now()
        held.error = None
        held.save()
        remember(held=held)
        refresh(reason=f"import:{held.pk}")
        webhooks.tell("import.landed", {"import": str(held.pk), **_counts(held), "tables": landed})
    drop_copies(held)


def drop_copies(held: Import) -> None:
    """Remove the copies of what people gave us; what was quarantined is kept, to be corrected."""
    for name in ("files", "made", "final", "spill", "samples", "preview"):
        shutil.rmtree(held.folder / name, ignore_errors=True)


def has_undone(*, held: Import, job: jobs.Running) -> None:
    """Keep that an import is out of the lake, undone or given up before it was wholly in."""
    with transaction.atomic():
        job.fence()
        held = _locked(held)
        if held.landed_at is None:
            _let_go(held)
            refresh(reason=f"undo:{held.pk}:{job.id}")
            return
        held.state = State.UNDONE
        held.undone_at = timezone.now()
        held.error = None
        held.save()
        refresh(reason=f"undo:{held.pk}:{job.id}")
        audit.record("import.undone", object=held, details=held.undone)
        webhooks.tell(
            "import.undone", {"import": str(held.pk), **_counts(held), **(held.undone or {})}
        )


def refresh(*, reason: str, at: dt.datetime | None = None) -> None:
    """Have customers made searchable and the figures computed again, where there are any.

    Args:
        reason: Why; once for each.
        at: When (None: now).
    """
    for kind in AFTERWARDS:
        if kind in jobs.handlers():
            jobs.enqueue(kind, key=f"{kind}:{reason}"[:200], not_before=at)


def remember(*, held: Import) -> None:
    """Keep what the columns of an import mean, for the next files that have the same headers."""
    from revoir.reading import Mapping
    from revoir.reading import mapping as mappings

    understood = understanding.kept(held)
    if understood is None:
        return
    for entry in understanding.load(understood["mapping"]).files:
        KnownMapping.objects.update_or_create(
            fingerprint=fingerprint(entry.columns),
            defaults={
                "mapping": mappings.dump(Mapping((entry,))),
                "updated_by": held.created_by,
            },
        )


def fingerprint(headers: Iterable[str]) -> str:
    """What tells files with these headers from others, whatever their sequence and case."""
    plain = sorted(plain_name(header) or header for header in headers)
    return hashlib.sha256("\x1f".join(plain).encode()).hexdigest()


def forget_files(held: Import) -> None:
    """Remove everything that an import keeps on the disk."""
    shutil.rmtree(held.folder, ignore_errors=True)
    Import.objects.filter(pk=held.pk).update(files_removed_at=timezone.now())


def _person(by: Any) -> User | None:
    """Who asks, where that is somebody: a program with a key is not."""
    return by if isinstance(by, User) else None


def _locked(held: Import) -> Import:
    return Import.objects.select_for_update().get(pk=held.pk)


def _move(held: Import, state: str, job: Job) -> None:
    held.state = state
    held.job_id = job.pk
    held.save()


def expect(held: Import, *states: str) -> None:
    """Refuse to do something to an import that stands elsewhere.

    Raises:
        UsageError: It stands at none of these states.
    """
    if held.state not in states:
        raise UsageError(
            msg("This import cannot be changed so: it stands at “{state}”.",
                state=str(held.get_state_display())),
            remedy=msg("Look at the page of the import."),
        )  # fmt: skip


def _counts(held: Import) -> dict[str, int]:
    return {
        "rows_in": held.rows_in,
        "rows_accepted": held.rows_accepted,
        "rows_quarantined": held.rows_quarantined,
        "rows_duplicate": held.rows_duplicate,
    }


def found(pk: str) -> Import:
    """The import of an id, for jobs."""
    return Import.objects.get(pk=uuid.UUID(pk))
