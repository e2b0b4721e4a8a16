from __future__ import annotations

from django.apps import AppConfig


class Messaging(AppConfig):
    """What is sent, and what became of it."""

    name = "revoir_web.messaging"
    label = "messaging"
