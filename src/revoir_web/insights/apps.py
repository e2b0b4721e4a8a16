from __future__ import annotations

from django.apps import AppConfig


class Insights(AppConfig):
    """Figures: computed by the worker, kept, shown."""

    name = "revoir_web.insights"
    label = "insights"

    def ready(self) -> None:
        """Bring what happened with customers to their pages."""
        from revoir_web.customers.facts import provide, provide_owned
        from revoir_web.insights.facts import facts_of, owned_by

        provide(facts_of)
        provide_owned(owned_by)
