from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Consents(AppConfig):
    """What may be done with what is known of a person."""

    name = "revoir_web.consents"
    label = "consents"

    def ready(self) -> None:
        """Show consents on the page of a customer; begin with some purposes."""
        from revoir_web.consents import defaults, panel  # noqa: F401

        post_migrate.connect(defaults.fill, sender=self)
