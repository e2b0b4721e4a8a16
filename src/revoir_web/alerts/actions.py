from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common import audit, jobs
from revoir_web.common.models import Company, Job
from revoir_web.common.rights import Right
from revoir_web.insights import watch

SNOOZE_MAX_DAYS = 366
HANDLED = ("owner", "snoozed_until", "outcome", "note")
"""What people change of an alert."""


@transaction.atomic
def handle(*, alerts: Iterable[int], fields: Mapping[str, Any], actor: Any = None) -> list[Alert]:
    """Say who sees to alerts, put them off, close them with an outcome, or reopen them.

    Args:
        alerts: Their keys.
        fields: Names of `HANDLED` and values: `owner` a user (None: nobody), `snoozed_until` a
            day (None: at once), `outcome` one of `Alert.Outcome` ("": open again), `note` a text.
        actor: Who does it (None: whoever makes the request).

    Returns:
        The alerts that were changed.

    Raises:
        UsageError: Whoever is to see to it may not, or a value makes no sense.
    """
    wanted = {name: value for name, value in fields.items() if name in HANDLED}
    _check(wanted)
    held = (
        Alert.objects.select_for_update(of=("self",))
        .filter(pk__in=list(alerts))
        .select_related("owner")
        .order_by("pk")
    )
    return [alert for alert in held if _change(alert, wanted, actor)]


def _check(wanted: Mapping[str, Any]) -> None:
    owner, until = wanted.get("owner"), wanted.get("snoozed_until")
    if owner is not None and not owner.can(Right.EDIT_CUSTOMERS):
        raise UsageError(
            msg("{name} may not handle alerts.", name=str(owner)),
            remedy=msg("Choose somebody who may change customers."),
        )
    if until is not None and not today() < until <= today() + dt.timedelta(days=SNOOZE_MAX_DAYS):
        raise UsageError(
            msg("An alert cannot be put off until {day}.", day=until),
            remedy=msg("Choose a day from tomorrow on, within a year."),
        )
    if wanted.get("outcome", "") not in ("", *Alert.Outcome.values):
        raise UsageError(msg("There is no outcome “{name}”.", name=str(wanted["outcome"])))


def _change(alert: Alert, wanted: Mapping[str, Any], actor: Any) -> bool:
    """Write what differs, and what follows from it."""
    fields = dict(wanted)
    outcome = fields.get("outcome", alert.outcome)
    if outcome or alert.closed_on is not None:
        # What is closed has no day to come back on.
        fields["snoozed_until"] = None
    changed = audit.changes(alert, fields)
    if not changed:
        return False
    if "outcome" in changed:
        alert.outcome_at = timezone.now() if outcome else None
        alert.outcome_by = _user(actor) if outcome else None
    for name, value in fields.items():
        setattr(alert, name, value)
    alert.is_open = alert.closed_on is None and not alert.outcome
    alert.save()
    if "note" in changed:
        # That there is one, never what it says: the trail outlives the person.
        changed["note"] = [bool(changed["note"][0]), bool(alert.note)]
    audit.record("alert.change", actor=actor, object=alert, details=changed)
    return True


def today() -> dt.date:
    """The day in the company's zone."""
    return Company.current().today


@transaction.atomic
def watch_soon(*, by: int | None = None) -> Job:
    """Ask for a look at every signal; several askers in a row get one."""
    held = Job.objects.filter(kind="alerts.watch", state=Job.State.WAITING).first()
    return held or jobs.enqueue("alerts.watch", by=by)


@transaction.atomic
def set_signal(
    *,
    state: SignalState,
    fields: Mapping[str, bool | None] | None = None,
    values: Mapping[str, float | None],
    actor: Any = None,
) -> SignalSetting:
    """Switch a signal on or off, and set its parameters.

    Args:
        state: The signal.
        fields: `enabled`, where that changes: whether it raises alerts (None: as its record says).
        values: Parameters that change, by name (None: as it comes).
        actor: Who does it (None: whoever makes the request).

    Returns:
        The setting.

    Raises:
        UsageError: A value makes no sense.
    """
    held, _made = SignalSetting.objects.select_for_update().get_or_create(signal=state.signal)
    both = {**held.values, **values}
    given = {name: value for name, value in both.items() if value is not None}
    wanted = {
        "enabled": (fields or {}).get("enabled", held.enabled),
        "values": watch.differing(state.signal, state.parameters, given),
    }
    changed = audit.changes(held, wanted)
    if changed:
        for name, value in wanted.items():
            setattr(held, name, value)
        held.save()
        audit.record(
            "signal.set", actor=actor, object=held, details={"signal": state.signal, **changed}
        )
        watch_soon(by=getattr(actor, "pk", None))
    return held


def _user(actor: Any) -> Any:
    """The user, where it is one: a key or the program has no account."""
    return actor if actor is not None and getattr(actor, "pk", None) else None
