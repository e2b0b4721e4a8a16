from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from revoir_web.accounts.models import User
from revoir_web.common.forms import EditForm
from revoir_web.common.rights import Right
from revoir_web.insights import goals, queries
from revoir_web.insights.models import Digest, Goal, SavedSegment

GRAINS = [
    ("month", gettext_lazy("Month")),
    ("week", gettext_lazy("Week")),
    ("quarter", gettext_lazy("Quarter")),
    ("year", gettext_lazy("Year")),
]
POINTS_MAX = 50
METRICS_MAX = 12
GOAL_MAX = 1e15
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CohortForm(forms.Form):
    """The options of a cohort grid."""

    grain = forms.ChoiceField(label=gettext_lazy("Periods"), choices=GRAINS, required=False)
    start = forms.ChoiceField(
        label=gettext_lazy("A customer belongs to"),
        choices=[
            ("first", gettext_lazy("the period of the first purchase")),
            ("recurring", gettext_lazy("every period with a purchase")),
        ],
        required=False,
    )
    presence = forms.ChoiceField(
        label=gettext_lazy("Present means"),
        choices=[
            ("on", gettext_lazy("bought in that period")),
            ("on_or_after", gettext_lazy("bought then or later")),
        ],
        required=False,
    )
    share_of = forms.ChoiceField(
        label=gettext_lazy("Share of"),
        choices=[
            ("first", gettext_lazy("the first period")),
            ("previous", gettext_lazy("the period before")),
        ],
        required=False,
    )
    mean = forms.ChoiceField(
        label=gettext_lazy("Mean"),
        choices=[
            ("weighted", gettext_lazy("weighted by size")),
            ("simple", gettext_lazy("each cohort alike")),
        ],
        required=False,
    )
    measure = forms.ChoiceField(
        label=gettext_lazy("Counted in"),
        choices=[
            ("customers", gettext_lazy("customers")),
            ("revenue", gettext_lazy("revenue, before returns")),
            ("margin", gettext_lazy("margin")),
        ],
        required=False,
    )


class SegmentForm(EditForm[SavedSegment]):
    """A segment and its rule."""

    class Meta:
        model = SavedSegment
        fields: tuple[str, ...] = ("name", "rule", "description")
        widgets: ClassVar[dict[str, Any]] = {
            "rule": forms.Textarea(
                attrs={"rows": 4, "spellcheck": "false", "class": "rule", "maxlength": 10_000}
            )
        }

    def clean_rule(self) -> str:
        """The rule, if it can be read."""
        rule = str(self.cleaned_data["rule"]).strip()
        fault = queries.fault_of(rule)
        if fault is not None:
            raise ValidationError(fault)
        return rule


class WhatIfForm(forms.Form):
    """The numbers of a scenario; the company's own stand in them until others are typed."""

    points = forms.FloatField(
        label=gettext_lazy("Points of retention more"), min_value=0.1, max_value=POINTS_MAX
    )
    margin = forms.FloatField(
        label=gettext_lazy("Margin, in % of revenue"), min_value=0, max_value=100, required=False
    )
    acquisition_cost = forms.FloatField(
        label=gettext_lazy("Winning a customer costs"), min_value=0, max_value=1e9, required=False
    )
    keeping_cost = forms.FloatField(
        label=gettext_lazy("Keeping a customer costs"), min_value=0, max_value=1e9, required=False
    )

    def __init__(self, given: Any, *, data_of: Mapping[str, Any]) -> None:
        margin = data_of.get("margin")
        initial = {
            "points": 3,
            "margin": None if margin is None else round(margin * 100, 2),
            "acquisition_cost": data_of.get("acquisition_cost"),
        }
        super().__init__(given, initial=initial)
        for name in self.fields:
            self.fields[name].widget.attrs["step"] = "any"

    def numbers(self) -> dict[str, float]:
        """The numbers as fractions and amounts; what is not valid is left out."""
        found: dict[str, Any] = (
            {**self.initial, **getattr(self, "cleaned_data", {})}
            if not self.is_bound or self.is_valid()
            else {**self.initial, **self.cleaned_data}
        )
        numbers = {name: float(value) for name, value in found.items() if value is not None}
        if "margin" in numbers:
            numbers["margin"] /= 100
        return {"points": 3.0, **numbers}


class GoalForm(forms.ModelForm[Goal]):
    """A goal for a metric, always or in a period."""

    metric = forms.ChoiceField(label=gettext_lazy("Metric"), choices=queries.metric_choices)
    value = forms.FloatField(
        label=gettext_lazy("Goal"),
        help_text=gettext_lazy("A share in %: 80. An amount, a count or a score as it is."),
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    length = forms.ChoiceField(
        label=gettext_lazy("Length of period"),
        help_text=gettext_lazy("Figures of other lengths are not compared with it."),
        choices=[("", gettext_lazy("That of the headline figure")), *GRAINS],
        required=False,
    )

    class Meta:
        model = Goal
        fields: tuple[str, ...] = (
            "metric",
            "value",
            "growth",
            "length",
            "start",
            "end",
            "note",
        )
        widgets: ClassVar[dict[str, Any]] = {"start": _DAY, "end": _DAY}
        # A year is judged by the goal of its last day: who types 31 December means it too.
        labels: ClassVar[dict[str, Any]] = {"end": gettext_lazy("To (included)")}
        help_texts: ClassVar[dict[str, Any]] = {
            "growth": gettext_lazy("The goal is then in %: 10 is a tenth more, -10 a tenth less."),
            "start": gettext_lazy("Empty: the goal always holds."),
        }

    def clean(self) -> dict[str, Any]:
        """The goal in the unit of its metric."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        metric, value = found.get("metric"), found.get("value")
        growth = bool(found.get("growth"))
        if metric and value is not None:
            if growth or queries.units().get(metric) == "share":
                found["value"] = value / 100
            if fault := goals.fault_of(metric, found["value"], growth=growth):
                self.add_error("value", fault)
            if not abs(value) <= GOAL_MAX:
                self.add_error("value", _("This number is too large."))
        start, last = found.get("start"), found.get("end")
        if start and last and last < start:
            self.add_error("end", _("The last day is before the first."))
        elif last and last < dt.date.max:
            found["end"] = last + dt.timedelta(days=1)
        return found


class DigestForm(EditForm[Digest]):
    """What is sent to whom, and when."""

    metrics = forms.MultipleChoiceField(
        label=gettext_lazy("Figures"),
        choices=queries.metric_choices,
        widget=forms.CheckboxSelectMultiple,
    )
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of the week"), coerce=int, choices=queries.weekday_choices
    )
    recipients = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Recipients"),
        queryset=User.objects.filter(is_active=True),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Digest
        fields: tuple[str, ...] = (
            "name",
            "every",
            "weekday",
            "day",
            "at",
            "enabled",
            "metrics",
            "recipients",
        )
        widgets: ClassVar[dict[str, Any]] = {
            "at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        }

    def clean_metrics(self) -> list[str]:
        """At most a dozen: more is a report."""
        chosen = list(self.cleaned_data["metrics"])
        if len(chosen) > METRICS_MAX:
            raise ValidationError(_("Choose %(n)d figures at most.") % {"n": METRICS_MAX})
        return chosen

    def clean_recipients(self) -> Any:
        """People who may see the figures."""
        people = self.cleaned_data["recipients"]
        for user in people:
            if not user.can(Right.SEE_DASHBOARD):
                raise ValidationError(_("%(name)s may not see the figures.") % {"name": user})
        return people
