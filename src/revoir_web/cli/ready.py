"""Setting Django up for a command."""

from __future__ import annotations

import os
from pathlib import Path

from revoir.cli.common import language, say
from revoir.errors import UsageError
from revoir.language import msg


def want_extra() -> None:
    """Say what to install where the application is not.

    Raises:
        UsageError: The extra is not installed.
    """
    try:
        import django  # noqa: F401
    except ImportError:
        raise UsageError(
            msg("The application is not installed."),
            remedy=msg("Install it: {command}", command='pip install "revoir[web]"'),
        ) from None


def make_ready(data: Path | None, *, check: bool) -> None:
    """Set Django up on a data folder.

    Args:
        data: The folder (None: REVOIR_DATA, else ./revoir-data).
        check: Refuse settings that are unsafe.

    Raises:
        UsageError: The extra is not installed, or the settings are unsafe.
    """
    want_extra()
    import django

    from revoir_web import environment

    if data is not None:
        os.environ["REVOIR_DATA"] = str(data.resolve())
    env = environment.read()
    if check and (unsafe := environment.faults(env)):
        for fault in unsafe:
            say(fault.text(language()), bad=True)
        raise UsageError(msg("These settings are unsafe: Revoir does not start with them."))
    env.data.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revoir_web.settings")
    django.setup()
