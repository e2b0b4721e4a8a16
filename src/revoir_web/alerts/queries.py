"""What pages and programs read of alerts and signals; nothing here computes a figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from revoir.language import Message, Percent, clauses, msg
from revoir_web.accounts.models import User
from revoir_web.accounts.rights import ROLES, Right
from revoir_web.alerts.actions import today
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.words import from_json, language
from revoir_web.customers.models import Customer

STATES = ("open", "snoozed", "closed", "all")
"""What alerts can be listed by; the first one is what there is to do."""


def labels() -> dict[str, str]:
    """Name of each signal → what people call it."""
    rows = SignalState.objects.values_list("signal", "label")
    return {name: _text(label) for name, label in rows}


def rights() -> dict[str, str]:
    """Name of each signal → how many of its alerts were right, and what silence alone tells."""
    found = {}
    for name, record in SignalState.objects.values_list("signal", "record"):
        precision = (record or {}).get("precision") or {}
        if precision.get("value") is not None:
            others = (record.get("as_silent") or {}).get("value")
            told = msg(
                "{share} of {n}; others as silent: {others}",
                share=Percent(precision["value"], 0),
                n=precision["denominator"],
                others=None if others is None else Percent(others, 0),
            )
            found[name] = told.text(language())
    return found


def _text(held: dict[str, Any] | None) -> str:
    message = from_json(held)
    return message.text(language()) if message is not None else ""


def in_state(rows: QuerySet[Alert], state: str) -> QuerySet[Alert]:
    """The alerts in one of `STATES`; what is put off is not to do before its day."""
    day = today()
    match state:
        case "all":
            return rows
        case "closed":
            return rows.filter(is_open=False)
        case "snoozed":
            return rows.filter(snoozed_until__gt=day, is_open=True)
    return rows.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=day), is_open=True)


def colleagues() -> list[User]:
    """Whoever may handle alerts."""
    roles = [role for role, rights in ROLES.items() if Right.EDIT_CUSTOMERS in rights]
    return list(User.objects.filter(is_active=True, role__in=roles))


def open_counts() -> dict[str, int]:
    """Signal → how many alerts of it are to do."""
    rows = in_state(Alert.objects.order_by(), "open").values("signal").annotate(n=Count("pk"))
    return {row["signal"]: row["n"] for row in rows}


def state_text(alert: Alert) -> str:
    """Where an alert stands, in words."""
    from revoir_web.common.templatetags.revoir import day

    if alert.outcome:
        return str(alert.get_outcome_display())
    if alert.closed_on is not None:
        return str(alert.get_closed_by_display())
    if alert.snoozed_until is not None and alert.is_snoozed(today()):
        return _("Put off until %(day)s") % {"day": day(alert.snoozed_until)}
    return _("Open")


def why_text(alert: Alert) -> str:
    """Why an alert was raised, in words."""
    return _text(alert.reason)


def of_customer(customer: Customer) -> dict[str, QuerySet[Alert]]:
    """The open alerts of a customer, and the closed ones, the last first."""
    rows = Alert.objects.filter(customer=customer).select_related("owner")
    return {
        "open": rows.filter(is_open=True).order_by("-raised_on", "-pk"),
        "closed": rows.filter(is_open=False).order_by("-raised_on", "-pk"),
    }


# -- What was done -----------------------------------------------------------------------------
def history(alert: Alert) -> list[dict[str, Any]]:
    """What happened with an alert, the latest first: `at`, `who`, `what`.

    What people did is on the audit trail; what the data did, on the alert itself.
    """
    trail = AuditEntry.objects.filter(object_kind="alert", object_id=str(alert.pk))
    return [
        {"at": entry.at, "who": entry.actor_name or "Revoir", "what": words}
        for entry in trail
        if (words := clauses(_done(entry.details), language()))
    ]


def _done(details: Mapping[str, Any]) -> list[str]:
    from revoir_web.common.templatetags.revoir import day

    said = []
    # PostgreSQL keeps the keys of an object in an order of its own.
    for name, (before, after) in sorted(details.items()):
        match name:
            case "owner" if after:
                said.append(_("%(name)s sees to it") % {"name": after})
            case "owner":
                said.append(_("nobody sees to it any more"))
            case "snoozed_until" if after:
                said.append(_("put off until %(day)s") % {"day": day(dt.date.fromisoformat(after))})
            case "snoozed_until":
                said.append(_("no longer put off"))
            case "outcome" if after:
                said.append(_("closed: %(outcome)s") % {"outcome": Alert.Outcome(after).label})
            case "outcome":
                said.append(_("reopened"))
            case "note":
                said.append(_("note changed") if before else _("note written"))
    return said


# -- Signals -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Told:
    """A signal as pages show it.

    Attributes:
        name: Its name.
        label: What people call it.
        meaning: What it tells of.
        enabled: Whether it raises alerts.
        chosen: What the company chose of that (None: nothing, and it is as the record says).
        muted: Why it raises none unless somebody wants them (None: it does).
        open: How many alerts of it are to do.
        showing: How many customers show it now, whether or not it raises alerts.
        reason: Why it cannot be raised (None: it can).
        record: How often it was right: plain values.
        sentence: The record in words.
        changed: Whether a parameter is not as it comes.
        parameters: What it depends on: `name`, `meaning`, `value`, `default`, `low`, `high` and
            `whole` of each.
    """

    name: str
    label: str
    meaning: str
    enabled: bool
    chosen: bool | None
    muted: str | None
    open: int
    showing: int
    reason: str | None
    record: Mapping[str, Any]
    sentence: str
    changed: bool
    parameters: tuple[Mapping[str, Any], ...] = ()

    @property
    def known(self) -> bool:
        """Whether there are enough alerts of the past to tell how often they were right."""
        return (self.record.get("precision") or {}).get("value") is not None


def signals() -> list[Told]:
    """Every signal with its record; those that can be raised first."""
    counts = open_counts()
    changed = {held.signal: held for held in SignalSetting.objects.all()}
    found = [
        told(state, changed.get(state.signal), counts.get(state.signal, 0))
        for state in SignalState.objects.all()
    ]
    return sorted(found, key=lambda one: one.reason is not None)


def told(state: SignalState, setting: SignalSetting | None, count: int) -> Told:
    """A signal as pages show it.

    Args:
        state: As the worker last saw it.
        setting: What the company changed of it (None: nothing).
        count: How many alerts of it are to do.
    """
    record = state.record or {}
    values = setting.values if setting is not None else {}
    reason: Message | None = from_json(state.reason)
    chosen = setting.enabled if setting is not None else None
    return Told(
        name=state.signal,
        label=_text(state.label),
        meaning=_text(state.meaning),
        enabled=state.muted is None if chosen is None else chosen,
        chosen=chosen,
        muted=None if state.muted is None else state.muted.text(language()),
        open=count,
        showing=state.showing,
        reason=None if reason is None else reason.text(language()),
        record=record,
        sentence=_text(record.get("sentence")),
        changed=bool(setting is not None and setting.values),
        parameters=tuple(
            {
                **held,
                "meaning": _text(held["meaning"]),
                "value": values.get(held["name"], held["default"]),
            }
            for held in state.parameters
        ),
    )


def signal(name: str) -> Told | None:
    """One signal with its record (None: the worker knows none of this name)."""
    state = SignalState.objects.filter(pk=name).first()
    if state is None:
        return None
    setting = SignalSetting.objects.filter(signal=name).first()
    rows = in_state(Alert.objects.filter(signal=name), "open")
    return told(state, setting, rows.order_by().count())


@dataclass(frozen=True)
class Unlisted:
    """Who shows signals that are not in the list of alerts: they tell no more than silence.

    Attributes:
        customers: How many show one of them or several; others may give alerts about them too.
        signals: What the signals are called.
    """

    customers: int
    signals: list[str]


def unlisted() -> Unlisted | None:
    """Who shows what raises no alerts because of its record (None: nobody)."""
    # A choice counts once the worker has looked by it, as the alerts do.
    rows = list(SignalState.objects.filter(showing_alone__gt=0))
    if not rows:
        return None
    return Unlisted(sum(row.showing_alone for row in rows), [_text(row.label) for row in rows])


def under_way() -> Job | None:
    """The search for alerts that waits or runs."""
    rows = Job.objects.filter(kind="alerts.watch", state__in=(Job.State.WAITING, Job.State.RUNNING))
    return rows.order_by("state", "created_at").first()
