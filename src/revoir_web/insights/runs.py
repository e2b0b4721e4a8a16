"""Questions and their stored answers: asked by pages, answered by the worker."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from revoir.language import Message
from revoir_web.common import jobs, words
from revoir_web.common.models import Company, Job
from revoir_web.insights import engine
from revoir_web.insights.models import AnalysisRun, DataState, ModelCard, PredictionRun

FORMAT = 2
"""Of stored results; with a new one, answers of an earlier program are no longer found."""
FORETOLD = ("departures", "worth", "next", "health", "products")
"""Kinds of questions that are answered together, by a run of predictions."""
APART = ("departures", "worth")
"""Those that are answered for subscribers apart, where there are buyers too."""
SUBSCRIBERS = {"of": "subscriptions"}
"""The parameters of such an answer."""
QUIET_SECONDS = 30
"""How long predictions wait for what else may come in: several imports in a row get one run."""
PREDICTIONS_KEPT = 60
"""So many runs of predictions are kept, to see what became of them."""
FORESEE_KEY = "insights.foresee"
"""Whoever holds it is the only job of predictions that waits or runs."""
KEPT_DAYS = 14
KEPT_MAX = 2000
"""How many answers to questions of people are kept; the standing ones always are."""
_AGAIN_SECONDS = 20


@dataclass(frozen=True)
class Asked:
    """What is known of a question.

    Attributes:
        run: The last answer (None: there was never one).
        fresh: Whether it is of the present data and settings.
        job: What computes a new one (None: nothing does).
        language: The language that the result is read in.
    """

    run: AnalysisRun | None
    fresh: bool
    job: Job | None
    language: str

    @property
    def result(self) -> Any:
        """The answer in the reader's language (None: there is none)."""
        held = self.run.result if self.run is not None else None
        return held.get(self.language) if held else None

    @property
    def data(self) -> Any:
        """What of the answer is the same in every language."""
        held = self.run.result if self.run is not None else None
        return (held or {}).get("data") or {}

    @property
    def error(self) -> Message | None:
        """Why there is no answer."""
        return words.from_json(self.run.error) if self.run is not None else None

    @property
    def waiting(self) -> bool:
        """Whether an answer is on its way."""
        return self.job is not None and not self.job.ended

    @property
    def failure(self) -> Message | None:
        """Why computing it failed."""
        return self.job.failure if self.job is not None and self.job.ended else None


def key_of(kind: str, parameters: Mapping[str, Any]) -> str:
    """What stands for a question: the same for the same kind and parameters."""
    text = json.dumps([FORMAT, kind, dict(parameters)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def asked_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that say something."""
    return {name: value for name, value in parameters.items() if value not in (None, "", [], ())}


def look(kind: str, parameters: Mapping[str, Any] | None = None) -> Asked:
    """The stored answer of a question, whatever its age; nothing is computed."""
    given = asked_of(parameters or {})
    run = AnalysisRun.objects.filter(key=key_of(kind, given)).first()
    return Asked(run, _is_fresh(run), None, words.language())


def ask(kind: str, parameters: Mapping[str, Any] | None = None, *, by: int | None = None) -> Asked:
    """The stored answer of a question; where it is out of date, the worker is asked for another.

    Args:
        kind: A registered kind of question (`answers.ANSWERS`).
        parameters: Plain values; empty ones are as good as left out.
        by: The id of the user who asks.

    Returns:
        What is known by now.
    """
    given = asked_of(parameters or {})
    key = key_of(kind, given)
    run = AnalysisRun.objects.filter(key=key).first()
    if _is_fresh(run):
        return Asked(run, True, None, words.language())
    state = DataState.current()
    if not state.lake_version:
        return Asked(run, False, None, words.language())
    if kind in FORETOLD:
        job = _to_foresee(timezone.now(), by=by)
    else:
        stamp = hashlib.sha256(
            f"{state.noticed_at.isoformat()} {engine.settings_hash()}".encode()
        ).hexdigest()[:12]
        job = jobs.enqueue(
            "insights.answer",
            arguments={"kind": kind, "parameters": given},
            key=f"answer:{key[:32]}:{stamp}",
            by=by,
        )
    ended_long_ago = job.finished_at is not None and (
        timezone.now() - job.finished_at > dt.timedelta(seconds=_AGAIN_SECONDS)
    )
    if job.state in (Job.State.FAILED, Job.State.CANCELLED) and ended_long_ago:
        jobs.retry(job)
    elif job.state == Job.State.DONE:
        # It was answered and pruned, or answered while the data changed.
        Job.objects.filter(pk=job.pk).update(key=None)
        return ask(kind, given, by=by)
    return Asked(run, False, job, words.language())


def forget(kind: str, parameters: Mapping[str, Any]) -> None:
    """Let go of an answer whose file is gone, or that the data no longer give."""
    AnalysisRun.objects.filter(key=key_of(kind, asked_of(parameters))).delete()


def keep(
    kind: str,
    parameters: Mapping[str, Any],
    *,
    version: str,
    settings_hash: str,
    began: dt.datetime,
    result: Any = None,
    error: Message | None = None,
    standing: bool = False,
) -> AnalysisRun:
    """Store the answer of a question in place of the one before.

    Args:
        kind: The kind.
        parameters: As asked.
        version: The version of the data.
        settings_hash: Of the settings.
        began: When computing began: data that came later are not in it.
        result: The answer by language.
        error: Why there is none.
        standing: Whether every refresh computes it again.
    """
    seconds = (timezone.now() - began).total_seconds()
    given = asked_of(parameters)
    run, _made = AnalysisRun.objects.update_or_create(
        key=key_of(kind, given),
        defaults={
            "kind": kind,
            "parameters": given,
            "lake_version": version,
            "settings_hash": settings_hash,
            "result": result,
            "error": words.to_json(error),
            "computed_at": began,
            "seconds": round(seconds, 3),
            "standing": standing,
        },
    )
    return run


def notice(version: str) -> DataState:
    """Take note of the version of the data that is there now.

    Returns:
        The state; answers from before a change of it are out of date.
    """
    state = DataState.current()
    if state.lake_version != version:
        state.lake_version = version
        state.noticed_at = timezone.now()
        state.save()
    return state


@transaction.atomic
def nothing_left() -> bool:
    """Let go of every answer where there is no data any more.

    Returns:
        Whether there was data before.
    """
    state = DataState.current()
    if not state.lake_version:
        return False
    AnalysisRun.objects.all().delete()
    DataState.objects.filter(pk=state.pk).delete()
    return True


def prune(standing: Iterable[str]) -> int:
    """Remove answers that nobody asked for lately, and those that are no longer standing.

    Args:
        standing: The keys of the answers that every refresh computes.
    """
    AnalysisRun.objects.filter(standing=True).exclude(key__in=list(standing)).delete()
    rows = AnalysisRun.objects.filter(standing=False).exclude(key__in=_keys_foretold())
    old = timezone.now() - dt.timedelta(days=KEPT_DAYS)
    count = rows.filter(computed_at__lt=old).delete()[0]
    surplus = list(rows.order_by("-computed_at").values_list("pk", flat=True)[KEPT_MAX:])
    for first in range(0, len(surplus), 500):
        count += rows.filter(pk__in=surplus[first : first + 500]).delete()[0]
    return count


@transaction.atomic
def refresh_soon(*, by: int | None = None) -> Job:
    """Ask for new figures; several askers in a row get one computation."""
    # One that waits for its time, because of events for instance, is too late for who asks now.
    waiting = Job.objects.filter(kind="insights.refresh", state=Job.State.WAITING)
    held = waiting.filter(not_before__lte=timezone.now()).first()
    return held or jobs.enqueue("insights.refresh", by=by)


def are_foretold() -> bool:
    """Whether everything is foretold from the present data and settings, as of today."""
    last, company = PredictionRun.objects.first(), Company.current()
    if last is None or last.computed_at.astimezone(company.zone).date() != company.today:
        return False
    if not engine.folder_of(last.number).exists():  # as after a restore
        return False
    held = AnalysisRun.objects.filter(key__in=_keys_foretold())
    held = held.only("key", "computed_at", "settings_hash")
    needed = {key_of(kind, {}) for kind in FORETOLD}
    return needed <= {one.key for one in held} and all(map(_is_fresh, held))


def _keys_foretold() -> list[str]:
    """The keys of the answers that a run of predictions gives, in the format of this program."""
    apart = [key_of(kind, SUBSCRIBERS) for kind in APART]
    return [*(key_of(kind, {}) for kind in FORETOLD), *apart]


def told_apart(kind: str) -> bool:
    """Whether a prediction is there for subscribers apart from buyers."""
    return kind in APART and AnalysisRun.objects.filter(key=key_of(kind, SUBSCRIBERS)).exists()


def foresee_soon() -> Job | None:
    """Ask for new predictions, where the last are of other data, settings or another day.

    At most a twentieth of the time is spent on them: after an hour of work come nineteen of rest.

    Returns:
        The job that waits or runs (None: the last predictions are good).
    """
    last, now = PredictionRun.objects.first(), timezone.now()
    if not DataState.current().lake_version or are_foretold():
        return None
    begin = now + dt.timedelta(seconds=QUIET_SECONDS)
    if last is not None:
        begin = max(begin, last.computed_at + dt.timedelta(seconds=20 * last.seconds))
    job = _to_foresee(begin)
    while job.ended:
        release_predictions(job.pk)
        job = _to_foresee(begin)
    return job


def _to_foresee(begin: dt.datetime, *, by: int | None = None) -> Job:
    """The one job of predictions: it has a key, so that two who ask at once get the same.

    Args:
        begin: When it may begin at the latest; one that waits for longer is brought forward.
        by: The id of the user who asks.

    Returns:
        The job, which waits, runs, or has ended and still holds the key.
    """
    job = jobs.enqueue("insights.foresee", key=FORESEE_KEY, not_before=begin, by=by)
    if job.state == Job.State.WAITING and not job.failures and job.not_before > begin:
        Job.objects.filter(pk=job.pk, state=Job.State.WAITING).update(not_before=begin)
        job.not_before = begin
    return job


def release_predictions(key: Any) -> None:
    """Let others ask for predictions again: a job that ends gives its key back.

    Args:
        key: The primary key of the job.
    """
    Job.objects.filter(pk=key, key=FORESEE_KEY).update(key=None)


def keep_predictions(
    *,
    number: str,
    version: str,
    settings_hash: str,
    as_of: dt.date,
    began: dt.datetime,
    customers: int,
    facts: Mapping[str, Any],
    cards: Mapping[str, Any] | None = None,
) -> PredictionRun:
    """Store a run of predictions, and let old ones go.

    Args:
        number: Names the folder of its files.
        version: The version of the data.
        settings_hash: Of the settings.
        as_of: The last day that it knew.
        began: When computing began.
        customers: Of how many anything is foretold.
        facts: Kind of question → how it was computed, and how good it was.
        cards: Kind of question → its model card, by language.
    """
    run, _made = PredictionRun.objects.update_or_create(
        number=number,
        defaults={
            "lake_version": version,
            "settings_hash": settings_hash,
            "as_of": as_of,
            "computed_at": began,
            "seconds": round((timezone.now() - began).total_seconds(), 3),
            "customers": customers,
            "facts": dict(facts),
        },
    )
    for kind, card in (cards or {}).items():
        ModelCard.objects.update_or_create(run=run, kind=kind, defaults={"card": card})
    _forget_rules_about_predictions()
    old = PredictionRun.objects.values_list("pk", flat=True)[PREDICTIONS_KEPT:]
    PredictionRun.objects.filter(pk__in=list(old)).delete()
    return run


_FOLLOWERS: list[Callable[[], None]] = []


def after_refresh(follow: Callable[[], None]) -> Callable[[], None]:
    """Register what is to follow a refresh that found other data or settings.

    Args:
        follow: Called when the figures are there.

    Returns:
        The same function, so that this is a decorator.
    """
    _FOLLOWERS.append(follow)
    return follow


def refreshed() -> None:
    """Let everything follow that was registered."""
    for follow in _FOLLOWERS:
        follow()


def _forget_rules_about_predictions() -> None:
    """Let go of counts of customers that spoke of earlier predictions."""
    from revoir.segments.features import speaks_of_predictions

    rows = AnalysisRun.objects.filter(kind__in=("segment", "comparison", "members", "members-file"))
    told = [run.pk for run in rows if speaks_of_predictions(run.parameters.get("rule", ""))]
    AnalysisRun.objects.filter(pk__in=told).delete()


def refresh_under_way() -> Job | None:
    """The computation of new figures that waits or runs."""
    return (
        Job.objects.filter(
            kind="insights.refresh", state__in=(Job.State.WAITING, Job.State.RUNNING)
        )
        .order_by("-state", "created_at")
        .first()
    )


def _is_fresh(run: AnalysisRun | None) -> bool:
    if run is None or run.computed_at < DataState.current().noticed_at:
        return False
    return run.settings_hash == engine.settings_hash()
