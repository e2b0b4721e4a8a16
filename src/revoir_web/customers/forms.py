from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from revoir_web.common.forms import EditForm
from revoir_web.customers.models import Customer, Note, SavedView


class ProfileForm(EditForm[Customer]):
    """What is known of a customer; actions check what addresses are."""

    class Meta:
        model = Customer
        fields = (
            "name", "first_name", "last_name", "company_name", "email", "phone", "address",
            "postcode", "city", "region", "country", "birth_date", "gender", "language",
        )  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {
            "birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "language": forms.Select(choices=[("", "—"), ("fr", "Français"), ("en", "English")]),
        }
        field_classes: ClassVar[dict[str, Any]] = {"email": forms.CharField}


class NoteForm(EditForm[Note]):
    """Something to write about a customer."""

    class Meta:
        model = Note
        fields = ("text",)
        widgets: ClassVar[dict[str, Any]] = {"text": forms.Textarea(attrs={"rows": 3})}


class ViewForm(forms.ModelForm[SavedView]):
    """A name for a list."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")
        labels: ClassVar[dict[str, Any]] = {"name": _("Name of the view")}
