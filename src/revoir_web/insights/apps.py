from __future__ import annotations

from django.apps import AppConfig


class Insights(AppConfig):
    """Figures: computed by the worker, kept, shown."""

    name = "revoir_web.insights"
    label = "insights"
