from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from revoir.language import asked_share, written
from revoir_web.accounts.models import User
from revoir_web.alerts import queries
from revoir_web.alerts.actions import today
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common.forms import EditForm, KnowsShown, PercentField
from revoir_web.common.words import from_json, language

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AlertForm(EditForm[Alert]):
    """What somebody does about an alert."""

    class Meta:
        model = Alert
        fields: tuple[str, ...] = ("owner", "snoozed_until", "outcome", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = {user.pk for user in queries.colleagues()}
        if self.instance.owner_id is not None:
            there.add(self.instance.owner_id)
        self.fields["owner"] = forms.ModelChoiceField(
            User.objects.filter(pk__in=there),
            label=self.fields["owner"].label,
            required=False,
            empty_label=_("Nobody"),
        )
        self.fields["snoozed_until"].widget = _DAY
        if not self.instance.is_snoozed(today()):
            # A day that has come is no longer asked for.
            self.initial["snoozed_until"] = None
        choices = [("", _("Still open")), *Alert.Outcome.choices]
        self.fields["outcome"].widget = forms.Select(choices=choices)
        self.fields["note"].widget = forms.Textarea(attrs={"rows": 4})
        self.keep_shown()


class SignalForm(KnowsShown, forms.Form):
    """Whether a signal is in use, and its parameters.

    Args:
        state: The signal.
        setting: What the company changed of it (None: nothing).
    """

    enabled = forms.TypedChoiceField(
        label=gettext_lazy("In use"),
        choices=[
            ("", gettext_lazy("As the record says")),
            ("yes", gettext_lazy("Yes")),
            ("no", gettext_lazy("No")),
        ],
        coerce=lambda text: {"yes": True, "no": False}[text],
        empty_value=None,
        required=False,
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, state: SignalState, setting: SignalSetting | None
    ) -> None:
        values = setting.values if setting is not None else {}
        chosen = setting.enabled if setting is not None else None
        initial: dict[str, Any] = {"enabled": {None: "", True: "yes", False: "no"}[chosen]}
        super().__init__(data, initial=initial)
        self.names = [held["name"] for held in state.parameters]
        for held in state.parameters:
            self.fields[held["name"]] = _field(held)
            self.initial[held["name"]] = values.get(held["name"], held["default"])
        self.keep_shown()

    @property
    def fields_given(self) -> dict[str, bool | None]:
        """Whether it is to be in use, where that was changed."""
        return {"enabled": self.given["enabled"]} if "enabled" in self.given else {}

    @property
    def values(self) -> dict[str, float | None]:
        """The parameters that were changed; an empty one is as it comes."""
        return {
            name: None if value is None else float(value)
            for name, value in self.given.items()
            if name in self.names
        }


def _field(held: Mapping[str, Any]) -> forms.Field:
    meaning = from_json(held["meaning"])
    label = meaning.text(language()).rstrip(".") if meaning else held["name"]
    if held.get("share"):
        limits = {name: asked_share(held[name]) for name in ("default", "low", "high")}
        return PercentField(
            label=f"{label} (%)",
            min_value=round(held["low"] * 100, 4),
            max_value=round(held["high"] * 100, 4),
            required=False,
            help_text=_help(limits),
        )
    kind = forms.IntegerField if held["whole"] else forms.FloatField
    return kind(
        label=label,
        min_value=held["low"],
        max_value=held["high"],
        required=False,
        help_text=_help(held),
        widget=forms.NumberInput(attrs={"step": 1 if held["whole"] else "any"}),
    )


def _help(limits: Mapping[str, Any]) -> str:
    shown = {name: written(limits[name], language()) for name in ("default", "low", "high")}
    return _("From %(low)s to %(high)s; %(default)s where nothing is given.") % shown
