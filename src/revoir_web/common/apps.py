from __future__ import annotations

from typing import Any

from django import forms
from django.apps import AppConfig

if not hasattr(forms.ModelForm, "__class_getitem__"):
    # `ModelForm[Company]` is for the type checker; Django itself knows it of managers alone.
    def _itself(cls: Any, parameter: Any) -> Any:
        del parameter
        return cls

    forms.ModelForm.__class_getitem__ = classmethod(_itself)  # type: ignore[attr-defined]


class Common(AppConfig):
    """The lowest app of the house."""

    name = "revoir_web.common"
    label = "common"

    def ready(self) -> None:
        """Read what every app registers: jobs, lists, exports, parts of other apps' pages."""
        from django.utils.module_loading import autodiscover_modules

        autodiscover_modules("tasks", "lists", "exports", "panel", "persons")
