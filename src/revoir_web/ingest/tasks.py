from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from revoir.errors import RevoirError
from revoir.language import Message, msg
from revoir_web.common import jobs, schedules, temporary
from revoir_web.common.models import Job
from revoir_web.common.rights import Right
from revoir_web.ingest import (
    actions,
    agreeing,
    fetching,
    forgetting,  # noqa: F401 (its erasers are known once it is read)
    inbox,
    landing,
    people,
    understanding,
    vault,
    webhooks,
)
from revoir_web.ingest.models import Import, SeenMessage, SetAside, WebhookDelivery

KEPT_DAYS = 30
"""How long rows in quarantine, imports that nobody confirmed, and messages set aside are kept."""
SEEN_DAYS = 90
PAGE = ("ingest:import", "held")
DELIVERIES_DAYS = 90


@jobs.handler(
    "ingest.read", right=Right.IMPORT_DATA, page=PAGE, label=msg("Reading of files"), retries=1
)
def read(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Read the files of an import."""
    held = actions.found(arguments["held"])
    if held.state != Import.State.READING or held.job_id != job.pk:
        return {"import": str(held.pk)}
    if held.batch:
        # Other meanings may make other rows, of other customers.
        _withdraw(held, job, _steps(job))
    locations: list[Any] = [upload.path for upload in held.uploads.select_related("held")]
    try:
        if held.location:
            locations.append(fetching.checked_again(vault.opened(held.location)))
        understood = understanding.read(held, locations, _steps(job))
    except RevoirError as error:
        actions.has_failed(held=held, error=jobs._sentence(understanding.on_the_page(error)))
        raise
    actions.has_read(held=held, understood=understood, job=job)
    return {"import": str(held.pk)}


@jobs.handler("ingest.land", right=Right.IMPORT_DATA, page=PAGE, label=msg("Import"), retries=3)
def land(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Bring an import into the lake."""
    held = _theirs(job, arguments, Import.State.LANDING, Import.State.LANDED)
    if held.state == Import.State.LANDED:
        actions.drop_copies(held)  # whoever was at it may have been killed before
        return {"import": str(held.pk)}

    def finish(landed: dict[str, dict[str, int]]) -> None:
        agreeing.keep(held)
        actions.has_landed(held=held, landed=landed, job=job)

    try:
        landed = landing.land(
            held,
            batch=f"import-{held.id.hex}-{job.id[:8]}-{job.attempt}",
            resolve=lambda rows: people.resolve(rows, held, job),
            progress=_steps(job),
            fence=job.fence,
            finish=finish,
        )
    except jobs.Lost:
        raise
    except Exception:
        # Half of it is no figure of anybody's. Whoever is killed leaves it to those who come next.
        held.refresh_from_db()
        if held.batch and held.landed_at is None:
            _withdraw(held, job, lambda message: None)
        raise
    return {"import": str(held.pk), "tables": landed}


def _withdraw(held: Import, job: jobs.Running, progress: Callable[[Message], None]) -> None:
    """Take out what a landing that was not finished has brought."""
    landing.take_out(held, progress=progress, fence=job.fence)
    actions.refresh(reason=f"undo:{held.pk}:{job.id}")


@jobs.handler(
    "ingest.undo", right=Right.IMPORT_DATA, page=PAGE, label=msg("Undoing of an import"), retries=3
)
def undo(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Take an import out again."""
    out = (Import.State.UNDONE, Import.State.CANCELLED)
    held = _theirs(job, arguments, Import.State.UNDOING, *out)
    if held.state in out:
        return {"import": str(held.pk)}
    removed = landing.take_out(held, progress=_steps(job), fence=job.fence)
    actions.has_undone(held=held, job=job)
    return {"import": str(held.pk), "tables": removed}


def _theirs(job: jobs.Running, arguments: dict[str, Any], *states: str) -> Import:
    """The import that a job works on; one that waits for something else is left alone.

    A job of the past that somebody starts again must not do what nobody has asked for now.
    """
    held = actions.found(arguments["held"])
    actions.expect(held, *(states if held.job_id == job.pk else ()))
    return held


@jobs.handler(
    "ingest.preview", right=Right.IMPORT_DATA, label=msg("Preview of a mapping"), retries=0
)
def preview(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Try another mapping on the sample of a file."""
    del job
    held = actions.found(arguments["held"])
    place = int(arguments["place"])
    told = understanding.preview(held, place, understanding.load(arguments["mapping"]))
    folder = held.folder / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    understanding.write_json(folder / f"{place}.json", told)
    return {}


@jobs.handler(
    "ingest.fetch", right=Right.MANAGE_SOURCES, label=msg("Asking of a source"), retries=3
)
def fetch(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Ask a source for what is new."""
    return fetching.fetch(int(arguments["source"]), _steps(job))


@jobs.handler("ingest.drain", right=Right.IMPORT_DATA, label=msg("Events into the lake"), retries=5)
def drain(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Bring what waits in the inbox into the lake."""
    del arguments
    # It is done every few seconds: what was done long ago tells nobody anything.
    Job.objects.filter(
        kind="ingest.drain",
        state=Job.State.DONE,
        finished_at__lt=timezone.now() - dt.timedelta(minutes=10),
    ).delete()
    return inbox.drain(job)


@jobs.handler(
    "ingest.deliver", right=Right.MANAGE_WEBHOOKS, label=msg("Delivery of a webhook"), retries=3
)
def deliver(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Tell an address what happened."""
    del job
    return webhooks.deliver(str(arguments["delivery"]))


@jobs.handler(
    "ingest.tidy", right=Right.IMPORT_DATA, label=msg("Care of the lake and the inbox"), retries=1
)
def tidy(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Compact the lake; remove what is kept for a while only."""
    del arguments
    now = timezone.now()
    for held in Import.objects.filter(state__in=actions.BUSY):
        actions.settle(held)
    old = Import.objects.filter(
        updated_at__lt=now - dt.timedelta(days=KEPT_DAYS), files_removed_at=None
    ).exclude(state__in=actions.BUSY)
    for held in old:
        job.check()
        actions.give_up(held=held)
        actions.forget_files(held)
    seen, _ = SeenMessage.objects.filter(
        seen_on__lt=now.date() - dt.timedelta(days=SEEN_DAYS)
    ).delete()
    told, _ = WebhookDelivery.objects.filter(
        created_at__lt=now - dt.timedelta(days=DELIVERIES_DAYS)
    ).delete()
    aside, _ = SetAside.objects.filter(at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()
    temporary.empty()
    job.progress(0, 0, msg("Compacting the lake…"))
    return {"messages": seen, "deliveries": told, "set_aside": aside, **landing.look_after()}


def _steps(job: jobs.Running) -> Any:
    step = 0

    def tell(message: Message) -> None:
        nonlocal step
        step += 1
        job.progress(step, 0, message)

    return tell


schedules.standing("ingest.drain", "ingest.drain", every="seconds", seconds=5, needed=inbox.has_any)
schedules.standing("ingest.tidy", "ingest.tidy", every="day", at=dt.time(3))
