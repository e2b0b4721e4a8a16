from __future__ import annotations

from django.apps import AppConfig


class Accounts(AppConfig):
    """People and their rights."""

    name = "revoir_web.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Declare the rights of the pages that allauth brings."""
        from revoir_web.accounts import rights

        rights.declare_allauth()
