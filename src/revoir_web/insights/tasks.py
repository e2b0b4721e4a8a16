"""The worker's side: answers to questions, and all standing figures after each change of data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from revoir.errors import InputError, RevoirError, UsageError
from revoir.files import whole
from revoir.language import Message, msg
from revoir_web.common import jobs, schedules, words
from revoir_web.common.actions import after_company_change
from revoir_web.common.rights import Right
from revoir_web.insights import actions, engine, files, questions, runs
from revoir_web.insights.models import AnalysisRun, DataState, Digest

if TYPE_CHECKING:
    from revoir.book import Book

CHECKED_SECONDS = 900
"""How often it is looked whether the lake has changed without anybody saying so."""
Later = Callable[[Callable[[int, int], None]], None]
"""What is left to do once the book is free for others; it says again and again that it goes on."""


@jobs.handler(
    "insights.answer", right=Right.SEE_DASHBOARD, label=msg("Answer to a question"), retries=1
)
def answer(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Answer one question and keep the answer."""
    kind, parameters = arguments["kind"], arguments["parameters"]
    if not engine.has_rows():  # all of it was taken back since somebody asked
        return {"kind": kind}
    job.progress(0, 1, msg("Computing…"))
    with engine.using() as book:
        job.check()
        compute(book, kind, parameters)
    return {"kind": kind}


def compute(
    book: Book, kind: str, parameters: Mapping[str, Any], *, standing: bool = False
) -> AnalysisRun:
    """Answer a question on a book; a question that is not well put is answered by saying so."""
    version, settings_hash = engine.version(), engine.settings_hash()
    runs.notice(version)
    began = timezone.now()
    kept: dict[str, Any] = {
        "version": version,
        "settings_hash": settings_hash,
        "began": began,
        "standing": standing,
    }
    try:
        result = questions.answer(kind, book, parameters)
    except (InputError, UsageError) as error:
        return runs.keep(kind, parameters, error=_sentence(error), **kept)
    return runs.keep(kind, parameters, result=result, **kept)


def _sentence(error: RevoirError) -> Message:
    if error.remedy is None:
        return error.what
    return msg("{what} {remedy}", what=error.what, remedy=error.remedy)


def standing(facts: Mapping[str, Any]) -> Iterator[tuple[Message, str, dict[str, Any]]]:
    """What every refresh computes: what is done, the kind of question and its parameters."""
    from revoir.metrics.registry import metric_named

    yield msg("The dashboard"), "dashboard", {}
    yield msg("The catalogue of metrics"), "catalogue", {}
    buyers = "segment" in facts.get("by", ())
    if buyers:
        yield msg("RFM"), "rfm", {}
        yield msg("Cohorts"), "cohorts", {}
        yield msg("The lifecycle"), "lifecycle", {}
        yield msg("What-if"), "what-if", {}
    for grain in ("month", "quarter"):
        if facts.get("grain") != grain:
            yield msg("The dashboard"), "dashboard", {"grain": grain}
    if buyers:
        yield msg("Cohorts"), "cohorts", {"grain": "quarter"}
    for name in facts.get("metrics", ()):
        yield msg("The metric {name}", name=metric_named(name).label), "metric", {"name": name}


@jobs.handler(
    "insights.refresh",
    right=Right.MANAGE_COMPANY,
    label=msg("Computation of the figures"),
    retries=2,
)
def refresh(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Compute every standing figure that is out of date, and each customer's."""
    del arguments
    if jobs.left_to_another(job):
        return {"computed": 0}
    if not engine.has_rows():
        return {"computed": 0, "customers": _let_go()}
    # Answers of the present data are good whatever happened to the settings since, and the
    # other way round: only what changed is computed again.
    before = DataState.current()
    state = runs.notice(engine.version())
    changed = state.refreshed_at is None or before.lake_version != state.lake_version
    changed = changed or state.refreshed_at < state.noticed_at  # type: ignore[operator]
    began = timezone.now()
    job.progress(0, 1, msg("Opening the data"))
    from revoir_web.insights import figures

    if changed:
        with engine.using() as book:
            state.facts = figures.facts(book)
        DataState.objects.filter(pk=state.pk).update(facts=state.facts)
    wanted = list(standing(state.facts))
    keys = [runs.key_of(kind, runs.asked_of(parameters)) for _told, kind, parameters in wanted]
    known = {
        run.key
        for run in AnalysisRun.objects.only("key", "computed_at", "settings_hash")
        if run.computed_at >= state.noticed_at and run.settings_hash == engine.settings_hash()
    }
    todo = [one for one, key in zip(wanted, keys, strict=True) if key not in known]
    work: list[tuple[Message, Callable[[Book], AnalysisRun | Later | None]]] = [
        (told, partial(compute, kind=kind, parameters=parameters, standing=True))
        for told, kind, parameters in todo
    ]
    if changed or todo:
        # After the dashboard, which is opened first, and before what is seldom looked at.
        work.insert(1, (msg("Each customer's figures"), _figures_of_customers))
    for place, (told, step) in enumerate(work):
        job.progress(place, len(work), told)
        # One at a time: whoever asks something on a page is answered in between.
        with engine.using() as book:
            made = step(book)
        if callable(made):
            made(partial(_go_on, job, place, len(work), told))
    DataState.objects.filter(pk=state.pk).update(refreshed_at=began)
    if changed or todo:
        runs.refreshed()
    runs.foresee_soon()
    gone = runs.prune(keys)
    return {"computed": len(todo), "customers": changed, "pruned": gone}


@jobs.handler(
    "insights.foresee",
    right=Right.MANAGE_COMPANY,
    label=msg("Computation of the predictions"),
    retries=1,
)
def foresee(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Compute what is foretold of every customer, model by model, and keep it."""
    del arguments
    if not engine.has_rows():
        return {"customers": 0}
    from revoir_web.customers.figures import write_foretold
    from revoir_web.insights import foresight

    began = timezone.now()
    version, settings_hash = engine.version(), engine.settings_hash()
    runs.notice(version)
    if runs.are_foretold():  # by a run that somebody asked for meanwhile
        return {"customers": 0}
    kept: dict[str, Any] = {"version": version, "settings_hash": settings_hash, "began": began}
    parts: list[foresight.Part] = []
    facts: dict[str, Any] = {}
    cards: dict[str, Any] = {}
    with engine.apart() as book:
        as_of = engine.last_day(book)
        wanted = foresight.steps(book)
        steps = len(wanted) + 1
        for place, step in enumerate(wanted):
            job.progress(place, steps, step.told)
            try:
                made = step.compute(book)
            except (InputError, UsageError) as error:  # it lacks a table: the others do not
                runs.keep(step.kind, step.parameters, error=_sentence(error), **kept)
                facts[step.name] = {"reason": words.plain(_sentence(error))}
                continue
            runs.keep(step.kind, step.parameters, result=made.answer, **kept)
            facts[step.name] = made.facts
            if made.card is not None:
                cards[step.name] = made.card
            parts.append(made)
        if not foresight.has_both(book):
            for kind in runs.APART:
                runs.forget(kind, runs.SUBSCRIBERS)
    told = msg("Writing what is foretold of each customer")
    job.progress(steps - 1, steps, told)
    table = foresight.together(parts)
    foresight.write(job.id, parts, table)
    runs.keep_predictions(
        number=job.id,
        version=version,
        settings_hash=settings_hash,
        as_of=as_of,
        began=began,
        customers=table.num_rows,
        facts=facts,
        cards=cards,
    )
    write_foretold(table, tell=partial(_go_on, job, steps - 1, steps, told))
    # Whoever asked meanwhile got this job: what came in since is asked for in their place.
    runs.release_predictions(job.pk)
    runs.foresee_soon()
    return {"customers": table.num_rows}


@jobs.handler(
    "insights.predict",
    right=Right.MANAGE_COMPANY,
    label=msg("Whether predictions are to be computed"),
    retries=1,
)
def predict(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Ask for new predictions where a day has begun: silences grow with it."""
    del job, arguments
    return {"asked": runs.foresee_soon() is not None}


def _go_on(job: jobs.Running, place: int, steps: int, told: Message, _done: int, _all: int) -> None:
    """Tell within a step that the job lives: what counts for its progress are the steps."""
    job.progress(place, steps, told)


@jobs.handler(
    "insights.digest", right=Right.EDIT_DIGESTS, label=msg("Sending of a digest"), retries=3
)
def digest(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Write a digest to each of its readers, once an edition."""
    held = Digest.objects.filter(pk=arguments["digest"], removed_at=None, enabled=True).first()
    if held is None:
        return {"letters": 0}
    readers = [
        user for user in held.recipients.filter(is_active=True) if user.can(Right.SEE_DASHBOARD)
    ]
    for place, user in enumerate(readers):
        job.progress(place, len(readers), msg("Writing letters"))
        actions.send_digest_to(digest=held, user=user, edition=job.id)
    return {"letters": len(readers)}


@jobs.handler(
    "insights.report", right=Right.EXPORT_DATA, label=msg("Making of the report"), retries=1
)
def report(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Make the report as a file, under a name that only the asker is told."""
    from revoir_web.insights import figures

    form, language = arguments["form"], arguments["language"]
    path = files.path_of(job.id, form)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not engine.has_rows():
        raise InputError(msg("There is no data yet."), remedy=msg("Import some first."))
    job.progress(0, 2, msg("Computing the report…"))
    with engine.using() as book, whole(path) as draft:
        made = figures.report_of(book, arguments["grain"] or None, figures.groupings(book)[:2])
        job.progress(1, 2, msg("Writing {file}…", file=form.upper()))
        match form:
            case "html":
                from revoir.reports.html import to_html

                draft.write_text(to_html(made, language), encoding="utf-8")
            case "pdf":
                from revoir.reports.pdf import write_pdf

                write_pdf(made, draft, language)
            case "xlsx":
                from revoir.reports.xlsx import write_xlsx

                write_xlsx(made, draft, book=book, language=language)
            case "json":
                from revoir.reports.plain import to_json

                draft.write_text(to_json(made), encoding="utf-8")
    files.sweep()
    return {"bytes": path.stat().st_size}


def _let_go() -> bool:
    """Let go of all figures where the last row was taken back; whether there were any."""
    import pyarrow as pa

    from revoir_web.customers.figures import write_figures, write_foretold

    if not runs.nothing_left():
        return False
    write_figures([], complete=True)
    write_foretold(pa.table({"customer_id": pa.array([], pa.string())}))
    runs.refreshed()
    return True


def _figures_of_customers(book: Book) -> Later | None:
    """Compute the figures in lists of customers; they are written while others use the book."""
    from revoir_web.insights.each_customer import customer_figures

    found = customer_figures(book)
    return None if found is None else partial(_write_customers, found)


def _write_customers(found: Any, tell: Callable[[int, int], None]) -> None:
    """Bring the figures in lists of customers up to date."""
    from revoir.segments import SEGMENTS, segment_named
    from revoir_web.customers.figures import write_figures

    labels = {key: segment_named(key).label for key in SEGMENTS}
    write_figures(found, complete=True, labels=labels, tell=tell)


@after_company_change
def follow(names: set[str]) -> None:
    """Figures depend on what the company says of itself."""
    if not names.isdisjoint(engine.SETTINGS):
        runs.refresh_soon()


schedules.standing("insights.predict", "insights.predict", every="day", at=dt.time(4, 30))
schedules.standing("insights.watch", "insights.refresh", every="seconds", seconds=CHECKED_SECONDS)
