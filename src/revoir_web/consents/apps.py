from __future__ import annotations

from django.apps import AppConfig


class Consents(AppConfig):
    """What may be done with what is known of a person."""

    name = "revoir_web.consents"
    label = "consents"

    def ready(self) -> None:
        """Show consents on the page of a customer."""
        from revoir_web.consents import panel  # noqa: F401
