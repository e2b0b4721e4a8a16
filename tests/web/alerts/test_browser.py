"""Pages of alerts in a browser: both languages and lights, wide and narrow, for everybody."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from revoir_web.alerts import actions
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.customers.models import Customer

from .conftest import LEA, PAUL, ZOE, day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def inbox(
    live: Any, raised: Callable[..., Alert], states: dict[str, SignalState], users: dict[str, Any]
) -> Alert:
    Customer.objects.filter(pk=PAUL).update(
        name="Boulangerie de l’Interminable Faubourg-Saint-Honoré"
    )
    Customer.objects.filter(pk=PAUL).update(email="paul@example.org")
    state = states["unanswered"]
    state.reason = {"$": "message", "msgid": "It needs {missing}.", "params": {"missing": "x"}}
    state.save()
    alert = raised(ZOE, note="Préfère être appelée le matin.")
    raised(PAUL, bought=123_456)
    closed = raised(ZOE, raised_on=day(1))
    actions.handle(alerts=[closed.pk], fields={"outcome": "kept"}, actor=users["manager"])
    actions.handle(alerts=[alert.pk], fields={"owner": users["advisor"]}, actor=users["manager"])
    return alert


def look(page: Any, name: str) -> None:
    """Keep a picture where REVOIR_TEST_PICTURES names a folder."""
    if folder := os.environ.get("REVOIR_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_every_page_in_both_languages_and_lights(live: Any, inbox: Alert, axe: Any) -> None:
    paths = {
        "alerts": "/alerts/",
        "alerts_closed": "/alerts/?state=closed",
        "alerts_none": "/alerts/?state=snoozed",
        "alert": f"/alerts/{inbox.pk}/",
        "signals": "/signals/",
        "signal": "/signals/complaints/",
        "customer": f"/customers/{ZOE}/",
        "customer_reached": f"/customers/{PAUL}/",
    }
    for language, dark, width in (("fr", False, 1280), ("en", True, 360)):
        page = live.page("owner", language=language, dark=dark, width=width)
        for name, path in paths.items():
            answer = page.goto(path)
            assert answer.status == 200, (name, answer.status)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            look(page, f"{name}_{language}_{width}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert not axe(page), (name, dark)


def test_alerts_are_chosen_and_closed_without_a_mouse_or_script(live: Any, inbox: Alert) -> None:
    page = live.page("advisor", script=False)
    page.goto("/alerts/")
    page.get_by_role("checkbox", name="Zoé Secret").focus()
    page.keyboard.press("Space")
    page.get_by_label("Résultat").select_option("reached")
    page.get_by_role("button", name="Clore").focus()
    page.keyboard.press("Enter")
    page.get_by_text("1 alerte est modifiée.").wait_for()
    assert page.get_by_role("checkbox", name="Zoé Secret").count() == 0
    assert Alert.objects.get(pk=inbox.pk).outcome == "reached"
    assert Alert.objects.filter(customer=LEA).count() == 0
