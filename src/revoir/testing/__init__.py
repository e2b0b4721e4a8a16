"""Helpers that run one check on every engine."""

from revoir.testing.engines import ENGINES, TestEngine, Unavailable, start_engine
from revoir.testing.gaps import never, notimpl, notyet

__all__ = [
    "ENGINES",
    "TestEngine",
    "Unavailable",
    "never",
    "notimpl",
    "notyet",
    "start_engine",
]
