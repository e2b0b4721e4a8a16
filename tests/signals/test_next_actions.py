"""What to do with a customer now: each rule by hand, their order, and what is held back."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import pytest

from revoir.language import LANGUAGES, msg
from revoir.signals.next_actions import (
    ANSWERS,
    NEWS,
    REST_DAYS,
    RULES,
    SERVICE,
    SHOWN,
    Known,
    Likely,
    OpenAlert,
    Owned,
    Reach,
    advise,
)
from revoir.signals.registry import signals

TODAY = dt.date(2024, 3, 1)
NOBODY = Known(TODAY, currency="EUR")
WAY = Reach(("E-mail",))
NO_WAY = Reach((), msg("They refused."))


def alert(signal: str = "overdue", low: float = 0.3, alerts: int = 120) -> OpenAlert:
    return OpenAlert(
        signal, msg("Label"), msg("Late."), TODAY, alerts, low + 0.1, low, low + 0.2, 0.25
    )


DUE = Owned("Kettle", dt.date(2022, 3, 1), dt.date(2024, 3, 9), True, "Kettle 2")
LIKELY = Likely("Cups", msg("because they bought “{first}”", first="Teapot"), 34, 100)
FULL = replace(
    NOBODY, alerts=(alert(),), leaves=0.8, leaves_mean=0.4, worth=200.0, stake=160.0,
    upgrades=(DUE,), likely=(LIKELY,),
)  # fmt: skip


def rules(known: Known) -> list[str]:
    return [action.rule for action in advise(known).actions]


def said(known: Known) -> str:
    first = advise(known).actions[0]
    return " ".join(str(part) for part in (first.text, first.reason, first.figure) if part)


def test_an_alert_that_tells_less_than_silence_calls_for_nothing_but_its_own_answer() -> None:
    poor = alert("basket_shrinking", low=0.01)
    assert poor.high < poor.as_silent
    assert rules(replace(NOBODY, alerts=(poor,), leaves=0.2)) == ["wait"]
    assert "foretells no departure" in said(replace(NOBODY, alerts=(poor,), leaves=0.2))
    assert "No alert" not in said(replace(NOBODY, alerts=(poor,)))
    # It is no reason to leave alone whoever is likely to leave, and hides no better alert.
    assert rules(replace(FULL, alerts=(poor,)))[0] == "leaving"
    assert rules(replace(NOBODY, alerts=(poor, alert()))) == ["alert"]
    # What they said is answered, however seldom those who say it leave.
    assert rules(replace(NOBODY, alerts=(replace(poor, signal="complaints"),))) == ["alert"]
    # As often as silence, or nobody knows how often: it counts.
    assert rules(replace(NOBODY, alerts=(replace(poor, high=0.25),))) == ["alert"]
    assert rules(replace(NOBODY, alerts=(replace(poor, alerts=0),))) == ["alert"]


def test_the_order_is_that_of_the_rules_and_three_is_the_most() -> None:
    assert rules(FULL) == ["alert", "upgrade", "product"]
    three = (alert(), alert("complaints"), alert("detractor"))
    assert rules(replace(FULL, alerts=three)) == ["alert"] * SHOWN
    assert rules(replace(FULL, alerts=())) == ["leaving", "upgrade", "product"]


def test_the_alert_most_surely_right_speaks_for_those_that_call_for_the_same() -> None:
    weak, strong = alert("basket_shrinking", 0.1), alert("overdue", 0.5)
    known = replace(NOBODY, alerts=(weak, strong))
    (action,) = advise(known).actions
    assert str(action.figure).startswith("Of 120 such alerts in the past, 60% were right (50% to")
    assert "Of others silent for as long, 25% left." in str(action.figure)
    unknown = replace(NOBODY, alerts=(alert(alerts=0),))
    assert "Too few such alerts" in str(advise(unknown).actions[0].figure)


def test_a_risk_is_told_with_the_mean_and_what_is_at_stake() -> None:
    known = replace(FULL, alerts=(), upgrades=(), likely=())
    assert said(known).endswith(
        "Likelier to leave than to stay: 80%; the mean of all customers is 40%."
        " At stake: 80% × €200 bought in the last year = €160."
    )
    # Twelve times the price of today was said to be bought in the last year.
    assert said(replace(known, monthly=True)).endswith(
        " At stake: 80% × €200, twelve times the price a month, = €160."
    )
    assert rules(replace(known, leaves=0.49)) == ["wait"]
    assert rules(replace(known, leaves=0.6, leaves_mean=0.7)) == ["wait"]
    assert "€" not in said(replace(known, worth=None, stake=None))


@pytest.mark.parametrize(("days", "expected"), [(REST_DAYS - 1, "wait"), (REST_DAYS, "leaving")])
def test_whoever_was_seen_to_is_left_alone_for_a_while(days: int, expected: str) -> None:
    known = replace(NOBODY, leaves=0.9, handled_on=TODAY - dt.timedelta(days=days))
    assert rules(known) == [expected]


def test_no_product_is_proposed_to_who_is_expected_beyond_the_horizon() -> None:
    """No day can be told of a purchase that is all but impossible so soon."""
    known = replace(NOBODY, likely=(LIKELY,), returns=1e-12, horizon_days=365)
    assert said(known).startswith("Nothing to do now.")
    assert said(replace(known, overdue=True)).startswith("Propose")
    assert said(replace(known, returns=None)).startswith("Propose")


def test_a_product_is_proposed_once_a_purchase_is_due_and_not_before() -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    known = replace(
        NOBODY,
        likely=(LIKELY,),
        next_on=tomorrow,
        low_on=TODAY,
        high_on=tomorrow,
        returns=0.7,
        horizon_days=365,
    )
    assert said(known) == (
        "Propose “Cups”. Likely to be bought: because they bought “Teapot”. Of 100 customers of the"
        " past who came back, 34 bought one of ten products so chosen (34%)."
    )
    assert said(replace(known, low_on=tomorrow)) == (
        "Nothing to do now. The next purchase is expected between 2 Mar 2024 and 2 Mar 2024."
        " It comes within 365 days with a probability of 70%."
    )

    assert rules(replace(known, low_on=tomorrow, overdue=True)) == ["product"]
    # Of what happened after the last day of the data nothing is known.
    old = replace(known, low_on=tomorrow, known_on=TODAY, today=TODAY + dt.timedelta(days=150))
    assert rules(old) == ["wait"]


def test_an_upgrade_says_where_its_day_comes_from() -> None:
    assert "The day stands in the data." in said(replace(NOBODY, upgrades=(DUE,)))
    learned = replace(NOBODY, upgrades=(replace(DUE, given=False, offer=None),))
    assert said(learned).startswith("Propose what follows “Kettle”.")
    assert "half of those who moved up" in said(learned)


def test_waiting_says_why() -> None:
    later = TODAY + dt.timedelta(days=5)
    assert "put off until 6 Mar 2024" in said(replace(NOBODY, put_off_until=later))
    assert "likelier to stay" in said(replace(NOBODY, leaves=0.2))
    # “Likelier to stay” stood beside a risk of leaving of 60 %.
    risky = replace(NOBODY, leaves=0.6, leaves_mean=0.7)
    assert "no likelier to leave than the mean. Risk of leaving: 60%." in said(risky)
    # A purchase that hardly comes was expected between two days.
    seldom = replace(NOBODY, next_on=later, low_on=later, high_on=later, returns=0.04,
                     horizon_days=365)  # fmt: skip
    assert said(seldom).endswith(
        "No alert is open, and no purchase is expected of them. It comes within 365 days with a"
        " probability of 4%."
    )
    assert said(replace(NOBODY, nothing=msg("Not enough data."))).endswith("Not enough data.")
    assert "nothing is foretold" in said(NOBODY)


def test_what_needs_a_contact_is_held_back_where_none_is_allowed() -> None:
    none = advise(replace(FULL, reach={SERVICE: NO_WAY, NEWS: NO_WAY}))
    assert [action.rule for action in none.actions] == ["no_contact"]
    # Between the two sentences stood a comma: “They refused., They refused.”
    assert str(none.actions[0].reason) == "They refused. They refused."
    assert [action.rule for action, _why in none.held_back] == ["alert", "upgrade", "product"]
    some = advise(replace(FULL, reach={SERVICE: WAY, NEWS: NO_WAY}))
    assert [action.rule for action in some.actions] == ["alert", "upgrade"]
    assert all(action.channels == ("E-mail",) for action in some.actions)
    assert [action.rule for action, _why in some.held_back] == ["product"]
    # Of a purpose that is left out nothing is known: whoever asks looks first.
    offers = advise(replace(FULL, reach={NEWS: NO_WAY}))
    assert [action.rule for action in offers.actions] == ["alert", "upgrade"]
    assert [action.rule for action, _why in offers.held_back] == ["product"]
    # Nothing to do needs no consent.
    assert rules(replace(NOBODY, leaves=0.2, reach={SERVICE: NO_WAY, NEWS: NO_WAY})) == ["wait"]


def test_who_has_unsubscribed_is_sent_no_offer() -> None:
    """“Send nothing more of the kind” stood above “Propose “Cups””."""
    known = replace(FULL, alerts=(alert("unsubscribed"),))
    assert rules(known) == ["alert", "upgrade"]
    ((action, refusal),) = advise(known).held_back
    assert action.rule == "product"
    assert "unsubscribed" in str(refusal)


def test_an_erased_person_is_not_contacted_whatever_is_known() -> None:
    gone = advise(replace(FULL, barred=msg("This person was erased.")))
    assert [action.rule for action in gone.actions] == ["no_contact"]
    assert not gone.held_back
    assert not gone.acts


def test_every_signal_that_is_answered_exists() -> None:
    assert set(ANSWERS) <= {signal.name for signal in signals()}


def test_the_order_in_which_alerts_are_given_changes_nothing() -> None:
    names = ["overdue", "complaints", "detractor", "unanswered", "no_second_order"]
    held = [alert(name, low) for name, low in zip(names, (0.3, 0.3, 0.1, 0.0, 0.3), strict=True)]
    first = advise(replace(FULL, alerts=tuple(held)))
    dice = random.Random(4)
    for _ in range(20):
        dice.shuffle(held)
        assert advise(replace(FULL, alerts=tuple(held))) == first


def test_everything_that_is_said_is_said_in_both_languages() -> None:
    calm = replace(NOBODY, leaves=0.2)
    known = [
        FULL, replace(FULL, alerts=()), replace(FULL, alerts=(), monthly=True), NOBODY, calm,
        replace(calm, leaves=0.6, leaves_mean=0.7), replace(NOBODY, returns=0.1),
    ]  # fmt: skip
    for one in known:
        for action in advise(one).actions:
            texts = [{part.text(code) for code in LANGUAGES}
                     for part in (action.text, action.reason, action.figure) if part]  # fmt: skip
            assert all(len(pair) == len(LANGUAGES) for pair in texts)
    assert len({rule.name for rule in RULES}) == len(RULES)
