"""Revoir measures whether a company keeps its customers, from a spreadsheet or a warehouse.

The names below are all there is to know for most uses; each is imported when first used, so that
`import revoir` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from revoir.book import Activity, Book, Settings, open, read
    from revoir.errors import EngineError, InputError, RevoirError, UsageError
    from revoir.metrics.cohorts import cohorts
    from revoir.metrics.registry import measure
    from revoir.metrics.summary import customer_summary
    from revoir.models.churn import churn
    from revoir.models.clv import clv
    from revoir.models.survival import survival
    from revoir.periods import Grain
    from revoir.segments.rfm import movement, rfm
    from revoir.segments.rules import customers_matching

_HOMES = {
    "Activity": "book",
    "Book": "book",
    "EngineError": "errors",
    "Grain": "periods",
    "InputError": "errors",
    "RevoirError": "errors",
    "Settings": "book",
    "UsageError": "errors",
    "churn": "models.churn",
    "clv": "models.clv",
    "cohorts": "metrics.cohorts",
    "customer_summary": "metrics.summary",
    "customers_matching": "segments.rules",
    "measure": "metrics.registry",
    "movement": "segments.rfm",
    "open": "book",
    "read": "book",
    "rfm": "segments.rfm",
    "survival": "models.survival",
}

__version__ = "0.1.0"
__all__ = [
    "Activity",
    "Book",
    "EngineError",
    "Grain",
    "InputError",
    "RevoirError",
    "Settings",
    "UsageError",
    "churn",
    "clv",
    "cohorts",
    "customer_summary",
    "customers_matching",
    "measure",
    "movement",
    "open",
    "read",
    "rfm",
    "survival",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'revoir' has no attribute {name!r}")
    return getattr(import_module(f"revoir.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
