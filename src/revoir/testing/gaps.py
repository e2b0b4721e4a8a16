"""Gaps of an engine, each marked with whose it is; a mark that is out of date fails its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def notimpl(*engines: str, reason: str) -> pytest.MarkDecorator:
    """Mark a test that fails on engines because Revoir does not do it yet.

    Args:
        engines: Names of `ENGINES`.
        reason: What is missing.

    Returns:
        The mark; the fixture `engine` of the tests turns it into a strict xfail.
    """
    return _gap("notimpl", engines, reason)


def notyet(*engines: str, reason: str) -> pytest.MarkDecorator:
    """Mark a test that fails on engines because Ibis or the engine does not do it yet.

    Args:
        engines: Names of `ENGINES`.
        reason: What is missing upstream, with its issue where there is one.

    Returns:
        The mark.
    """
    return _gap("notyet", engines, reason)


def never(*engines: str, reason: str) -> pytest.MarkDecorator:
    """Mark a test that fails on engines which cannot do it by their nature.

    Args:
        engines: Names of `ENGINES`.
        reason: Why it cannot.

    Returns:
        The mark.
    """
    return _gap("never", engines, reason)


def _gap(owner: str, engines: tuple[str, ...], reason: str) -> pytest.MarkDecorator:
    import pytest

    mark: pytest.MarkDecorator = getattr(pytest.mark, owner)
    return mark(*engines, reason=f"{owner}: {reason}")
