"""The worker's side: signals looked at after each change of the figures, and once a day."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.alerts import actions, watching
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common import bulk, jobs, schedules, words
from revoir_web.common.models import Company, Schedule
from revoir_web.common.rights import Right
from revoir_web.consents.models import RetentionRule
from revoir_web.consents.retention import months_before
from revoir_web.insights import engine, runs
from revoir_web.insights import watch as insights

if TYPE_CHECKING:
    import pyarrow as pa


@jobs.handler("alerts.watch", right=Right.EDIT_CUSTOMERS, label=msg("Search for alerts"), retries=2)
def watch(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Raise, close and value the alerts of every signal by what the data say now."""
    del arguments
    if jobs.left_to_another(job):
        return {}
    if not engine.has_rows():
        # Nothing foretells anything any more, where everything was taken back.
        SignalState.objects.all().delete()
        return dict(+Counter(closed=_withdraw(Alert.objects.all(), job)))
    declared = insights.declared()
    changed = {held.signal: held for held in SignalSetting.objects.all()}
    done: Counter[str] = Counter()
    muted = Together()
    for place, told in enumerate(declared):
        job.progress(place, len(declared), words.from_json(told["label"]))
        done += _look(job, place, told, changed.get(told["name"]), muted)
    names = [told["name"] for told in declared]
    done["closed"] += _withdraw(Alert.objects.exclude(signal__in=names), job)
    SignalState.objects.exclude(signal__in=names).delete()
    return dict(+done)


def _look(
    job: jobs.Running,
    place: int,
    told: dict[str, Any],
    changed: SignalSetting | None,
    muted: Together,
) -> Counter[str]:
    """Look at one signal, and store what it says of itself and of customers."""
    name = told["name"]
    state: dict[str, Any] = {
        "place": place,
        **{field: told[field] for field in ("label", "meaning", "family", "parameters")},
    }
    held = watching.stored(name)
    try:
        given = insights.differing(name, told["parameters"], changed.values if changed else {})
        # One at a time: whoever asks something on a page is answered in between.
        with engine.using() as book:
            seen = insights.look(book, name, given, watching.keys_of(held))
    except UsageError as error:
        # Of an earlier program; the alerts stay until somebody mends the setting.
        state["reason"] = words.to_json(error.what)
        SignalState.objects.update_or_create(signal=name, defaults=state)
        return Counter()
    state |= {
        "reason": seen.reason,
        "record": seen.record,
        "as_of": seen.as_of,
        "looked_at": timezone.now(),
        "showing": seen.open.num_rows,
        "showing_alone": 0,
    }
    chosen = changed.enabled if changed is not None else None
    by_record = chosen is None and seen.record["muted"] is not None
    if by_record:
        state["showing_alone"] = muted.add(seen.open["customer_id"])
    SignalState.objects.update_or_create(signal=name, defaults=state)
    if by_record or chosen is False:
        why = Alert.End.MUTED if by_record else Alert.End.WITHDRAWN
        return Counter(closed=_withdraw(Alert.objects.filter(signal=name), job, seen.as_of, why))
    return watching.bring_up_to_date(name, seen, held, fence=job.fence)


class Together:
    """Customers who show one signal or several of those that raise no alerts by themselves."""

    def __init__(self) -> None:
        self._known: list[Any] = []

    def add(self, customers: pa.ChunkedArray) -> int:
        """Add those who show one signal more; how many showed none before."""
        import pyarrow as pa
        import pyarrow.compute as pc

        new = pc.unique(customers)
        if self._known:
            new = new.filter(pc.invert(pc.is_in(new, pa.chunked_array(self._known))))
        self._known.append(new)
        return len(new)


def _withdraw(
    rows: Any,
    job: jobs.Running,
    day: dt.date | None = None,
    why: Alert.End = Alert.End.WITHDRAWN,
) -> int:
    """Close what is no longer looked for."""
    on = day or Company.current().today
    keys = rows.filter(closed_on=None).order_by().values_list("pk", flat=True)
    closing = [(on, why.value, pk) for pk in keys]
    return watching.close(closing, fence=job.fence)


@jobs.handler(
    "alerts.tidy", right=Right.MANAGE_COMPANY, label=msg("Removal of old alerts"), retries=1
)
def tidy(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Forget alerts that closed longer ago than the rule of retention says.

    What only a person closed stays until the data close it: it says that nobody is to be asked
    again in the same silence.
    """
    del arguments
    months = RetentionRule.current().alert_months
    if months is None:
        return {"alerts": 0}
    end = months_before(actions.today(), months)
    moment = dt.datetime.combine(end, dt.time(), tzinfo=Company.current().zone)
    over = Alert.objects.filter(closed_on__lt=end).filter(
        Q(outcome_at=None) | Q(outcome_at__lt=moment)
    )
    keys = list(over.order_by().values_list("pk", flat=True))
    done = 0
    for part in bulk.in_parts(keys, watching.PART):
        with transaction.atomic():
            job.fence()
            done += over.filter(pk__in=part).delete()[0]
        job.progress(done, len(keys))
        bulk.give_way()
    return {"alerts": done}


@runs.after_refresh
def follow() -> None:
    """New data raise and close alerts."""
    actions.watch_soon()


schedules.standing("alerts.tidy", "alerts.tidy", every=Schedule.Every.DAY, at=dt.time(3, 50))
# Subscriptions end with the days, whether data come in or not.
schedules.standing("alerts.watch", "alerts.watch", every=Schedule.Every.DAY, at=dt.time(5))
