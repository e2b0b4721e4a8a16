from __future__ import annotations

from django.apps import AppConfig


class Customers(AppConfig):
    """Persons: they live in the application database, and nowhere else."""

    name = "revoir_web.customers"
    label = "customers"
