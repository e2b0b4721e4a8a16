from __future__ import annotations

from django.apps import AppConfig


class Alerts(AppConfig):
    """Who may be leaving, and who does something about it."""

    name = "revoir_web.alerts"
    label = "alerts"
