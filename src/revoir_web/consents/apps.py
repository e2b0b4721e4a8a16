from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Consents(AppConfig):
    """What may be done with what is known of a person."""

    name = "revoir_web.consents"
    label = "consents"

    def ready(self) -> None:
        """Begin with some purposes."""
        from revoir_web.consents import defaults

        post_migrate.connect(defaults.fill, sender=self)
