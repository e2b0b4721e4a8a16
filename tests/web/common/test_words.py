"""Messages that are kept, times as people write them, logs without persons."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from revoir.language import Calendar, Message, Money, Number, Percent, msg, nmsg
from revoir_web.common import words
from revoir_web.common.templatetags.revoir import moment, money, percent
from revoir_web.settings.logs import without_persons

DAY = dt.date(2024, 3, 12)


@pytest.mark.parametrize(
    "message",
    [
        msg("Reading {file}", file="a.csv"),
        nmsg("{n} row", "{n} rows", 3),
        Message("{a} {b}", {"a": Percent(0.713), "b": Money(Decimal("12.50"), "EUR")}),
        Message("{a}", {"a": [Number(1.25, 2, True), DAY, Calendar(DAY, "MMMM y"), None, True]}),
        Message("{a}", {"a": msg("yes"), "b": dt.datetime(2024, 3, 12, 12, 30)}),
    ],
)
def test_a_kept_message_says_the_same_in_each_language(message: Message) -> None:
    kept = words.from_json(json.loads(json.dumps(words.to_json(message))))
    assert kept is not None
    for language in ("fr", "en"):
        assert kept.text(language) == message.text(language)


def test_figures_are_written_as_the_language_writes_them() -> None:
    instant = dt.datetime(2024, 3, 12, 11, 30, tzinfo=dt.UTC)
    with timezone.override("Europe/Paris"):
        with translation.override("fr"):
            assert moment(instant) == "12/03/2024 à 12\xa0h\xa030"
            assert percent(0.713) == "71,3\xa0%"
            assert money(Decimal("1234.5"), "EUR") == "1\u202f234,50\xa0€"
        with translation.override("en"):
            assert moment(instant) == "12 Mar 2024, 12:30"
            assert percent(None) == "—"


@pytest.mark.parametrize(
    "text",
    [
        "ana.diaz+x@example.com left",
        "call 06 12 34 56 78",
        "call +33612345678",
        "call 0033612345678",
    ],
)
def test_logs_say_nobody(text: str) -> None:
    told = without_persons(text)
    assert "<address>" in told or "<phone>" in told
    assert "ana" not in told
    assert "345678" not in told.replace(" ", "")
