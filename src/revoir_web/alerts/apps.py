from __future__ import annotations

from django.apps import AppConfig


class Alerts(AppConfig):
    """Who may be leaving, and who does something about it."""

    name = "revoir_web.alerts"
    label = "alerts"

    def ready(self) -> None:
        """Show alerts on the page of a customer and in digests; follow persons and figures."""
        from revoir_web.alerts import panel, persons  # noqa: F401 (they register)
