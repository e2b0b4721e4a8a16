"""Early signals that a customer may leave, each with the record of how often it was right.

Each name is imported when first used: whoever lists the signals needs no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from revoir.signals.alerts import Alert, Alerts, alerts_of, all_alerts
    from revoir.signals.health import Health, health_scores
    from revoir.signals.record import Record
    from revoir.signals.registry import Signal, lacking, offered, signal_named, signals, values_of

__all__ = [
    "Alert",
    "Alerts",
    "Health",
    "Record",
    "Signal",
    "alerts_of",
    "all_alerts",
    "health_scores",
    "lacking",
    "offered",
    "signal_named",
    "signals",
    "values_of",
]

_ALERTS = ("Alert", "Alerts", "alerts_of", "all_alerts")
_HEALTH = ("Health", "health_scores")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'revoir.signals' has no attribute {name!r}")
    if name in _ALERTS:
        home = "alerts"
    else:
        home = "health" if name in _HEALTH else "record" if name == "Record" else "registry"
    return getattr(import_module(f"revoir.signals.{home}"), name)
