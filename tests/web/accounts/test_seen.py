"""Sessions are noted as they go on, and pages do not wait for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

pytestmark = pytest.mark.django_db


def writes(client: Client, agent: str = "Firefox") -> int:
    with CaptureQueriesContext(connection) as held:
        client.get(reverse("customers:list"), headers={"user-agent": agent})
    return sum("usersessions" in one["sql"] for one in held.captured_queries)


def test_a_session_is_noted_once_a_minute_and_when_it_moves(
    as_role: Callable[[str], Client],
) -> None:
    client = as_role("analyst")
    assert writes(client)
    first = UserSession.objects.get()
    assert not writes(client)
    caches["process"].clear()  # as a minute does
    assert writes(client)
    assert UserSession.objects.get().last_seen_at > first.last_seen_at
    assert writes(client, "Chromium")
    assert UserSession.objects.get().user_agent == "Chromium"
    # Another's is theirs.
    assert writes(as_role("manager"))
    assert UserSession.objects.count() == 2


def test_who_is_not_signed_in_has_no_session(client: Client, company: object) -> None:
    assert not writes(client)
    assert not UserSession.objects.exists()
