from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from revoir_web.common.forms import EditForm
from revoir_web.consents.models import Channel, Notice, Purpose, RetentionRule


class PurposeForm(EditForm[Purpose]):
    """What data is used for."""

    channels = forms.MultipleChoiceField(
        label=_("Channels"), choices=Channel.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Purpose
        fields: tuple[str, ...] = (
            "name_fr",
            "name_en",
            "text_fr",
            "text_en",
            "channels",
            "basis",
            "active",
        )
        widgets: ClassVar[dict[str, Any]] = {
            "text_fr": forms.Textarea(attrs={"rows": 3}),
            "text_en": forms.Textarea(attrs={"rows": 3}),
        }


class NewPurposeForm(PurposeForm):
    """A purpose that is not there yet."""

    class Meta(PurposeForm.Meta):
        fields = ("code", *PurposeForm.Meta.fields)
        help_texts: ClassVar[dict[str, Any]] = {
            "code": _("A short word for programs, such as news. It never changes.")
        }


class RuleForm(EditForm[RetentionRule]):
    """How long persons are kept."""

    class Meta:
        model = RetentionRule
        fields = ("enabled", "prospect_months", "customer_months", "notice_days", "alert_months")
        help_texts: ClassVar[dict[str, Any]] = {
            "customer_months": _("Leave empty: customers who bought are kept."),
            "alert_months": _("Leave empty: alerts are kept as long as their customer."),
        }


class NoticeForm(EditForm[Notice]):
    """What customers read of what their data is used for."""

    class Meta:
        model = Notice
        fields: tuple[str, ...] = ("text_fr", "text_en")
        widgets: ClassVar[dict[str, Any]] = {
            "text_fr": forms.Textarea(attrs={"rows": 10}),
            "text_en": forms.Textarea(attrs={"rows": 10}),
        }


class RefusalForm(forms.Form):
    """A consent that someone of the company writes down for a customer."""

    proof = forms.CharField(
        label=_("How it is known"),
        max_length=500,
        help_text=_("Such as: said on the telephone, form signed in the shop on 12 March."),
    )
