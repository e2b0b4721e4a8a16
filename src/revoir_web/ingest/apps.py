from __future__ import annotations

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Imports, sources, events, webhooks."""

    name = "revoir_web.ingest"
    label = "ingest"
    default_auto_field = "django.db.models.BigAutoField"
