"""The goals as pages show them, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from revoir.goals import OVER
from revoir.language import Money, Number, Percent, asked_share, written
from revoir_web.common.models import Company
from revoir_web.common.words import language
from revoir_web.insights import queries, runs
from revoir_web.insights.models import Goal


def listed() -> list[dict[str, Any]]:
    """The goals that were set, each with the label of its metric and written in its unit."""
    labels_known, units_known, overs = (
        dict(queries.metric_choices()),
        queries.units(),
        _headline_lengths(),
    )
    return [
        {
            "goal": goal,
            "label": labels_known.get(goal.metric, goal.metric),
            "value": _growth(goal.value)
            if goal.growth
            else in_unit(goal.value, units_known.get(goal.metric, "")),
            "over": OVER[goal.length].text(language())
            if goal.length in OVER
            else overs.get(goal.metric, ""),
        }
        for goal in Goal.objects.all()
    ]


def defaults(asked: runs.Asked) -> list[dict[str, Any]]:
    """The goals that hold where nobody set another: those of metrics without one for always."""
    always = set(Goal.objects.filter(start=None, end=None).values_list("metric", flat=True))
    known = asked.data.get("metrics", {})
    labels_known, overs = dict(queries.metric_choices()), _headline_lengths()
    return [
        {
            "label": labels_known.get(name, name),
            "name": name,
            "value": _goal_of_all(held),
            "over": overs.get(name, ""),
        }
        for name, held in known.items()
        if name not in always
        and (held.get("goal_of_all") is not None or held.get("growth_of_all") is not None)
    ]


def _headline_lengths() -> dict[str, str]:
    """How long a period the headline figure of each metric covers, in words."""
    return {
        metric["name"]: metric.get("over") or ""
        for family in runs.look("catalogue").result or []
        for metric in family["metrics"]
    }


def _goal_of_all(held: Mapping[str, Any]) -> str:
    """The goal of a metric that comes with it, as people write it."""
    if (growth := held.get("growth_of_all")) is not None:
        return _growth(growth)
    return in_unit(held["goal_of_all"], held["unit"])


def _growth(share: float) -> str:
    """Growth as people write it."""
    text = written(asked_share(abs(share)), language())
    if share < 0:
        return _("−%(share)s in a year") % {"share": text}
    return _("+%(share)s in a year") % {"share": text}


def fault_of(metric: str, value: float, *, growth: bool = False) -> str | None:
    """What is wrong with a goal: its metric never comes to it."""
    if growth:
        return None if value >= -1 else _("Nothing can fall by more than 100%.")
    held = runs.look("catalogue").data.get("metrics", {}).get(metric)
    if held is None:
        return None
    unit = held["unit"]
    low, high = held.get("limits", (0, 1) if unit == "share" else (None, None))
    if (low is None or low <= value) and (high is None or value <= high):
        return None
    if high is None:
        return _("This metric is never below %(low)s.") % {"low": in_unit(low, unit)}
    if unit == "share":
        return _("A share lies between 0 and 100%.")
    words = {"low": in_unit(low, unit), "high": in_unit(high, unit)}
    return _("This metric lies between %(low)s and %(high)s.") % words


def in_unit(value: float, unit: str) -> str:
    """A goal as people write it."""
    if unit == "share":
        digits = 0 if abs(value * 100 - round(value * 100)) < 1e-9 else 1
        return written(Percent(value, digits), language())
    if unit == "money":
        return written(Money(value, Company.current().currency, 2), language())
    return written(Number(value, 0 if float(value).is_integer() else 2), language())
