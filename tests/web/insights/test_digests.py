"""Digests as pages and programs set them up, and what the trail says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import User
from revoir_web.common.models import AuditEntry
from revoir_web.insights.models import Digest

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def test_the_trail_tells_what_a_page_changed(
    filled: Path, as_role: SignIn, users: dict[str, User]
) -> None:
    """The form had changed the row before it was compared: there was never a difference."""
    fields: dict[str, Any] = {
        "name": "Lundi", "every": "week", "weekday": "0", "day": "1", "at": "08:00",
        "enabled": "on", "metrics": ["revenue"], "recipients": [users["analyst"].pk],
    }  # fmt: skip
    client = as_role("analyst")
    client.post("/digests/new/", fields)
    digest = Digest.objects.get()
    changed = {**fields, "name": "Mardi", "weekday": "1", "recipients": [users["owner"].pk]}
    assert client.post(f"/digests/{digest.pk}/", changed).status_code == 302
    entry = AuditEntry.objects.get(action="digest.change")
    assert entry.details == {
        "name": ["Lundi", "Mardi"],
        "weekday": ["0", "1"],
        "recipients": [[users["analyst"].pk], [users["owner"].pk]],
    }
    client.post(f"/digests/{digest.pk}/", changed)
    assert AuditEntry.objects.filter(action="digest.change").count() == 1
