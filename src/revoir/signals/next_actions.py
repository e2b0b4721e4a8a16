"""What to do with a customer now: rules that are declared here, each with its reason and figure.

A rule looks at what is known of one customer (open alerts, predictions, what they own) and says
what to do, why, and from which figure that follows. The rules stand in the order of `RULES`: the
first ones come first, and at most `SHOWN` actions are given. What needs a contact is given only
where one is allowed; what is held back is told with the reason. No effect is claimed: whether an
action keeps customers is known once it is tried against customers who are left alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from revoir.language import Message, Money, Percent, in_turn, msg, nmsg

SHOWN = 3
"""More than three things to do are none."""
LEAVES_MIN = 0.5
"""From here on a customer is likelier to leave than to stay."""
RETURNS_MIN = 0.5
"""From here on a purchase within the horizon is expected."""
REST_DAYS = 30
"""So long after somebody saw to an alert a prediction alone is no reason to begin again."""
SERVICE, NEWS = "service", "news"
"""Purposes of a contact: advice on what they bought; news and offers."""


@dataclass(frozen=True)
class OpenAlert:
    """An alert that is to be seen to.

    Attributes:
        signal: The name of its signal.
        label: What people call that.
        reason: Why it was raised.
        raised_on: The day.
        alerts: How many alerts of the past were judged (0: it is not known how many were right).
        right: The share of them that were right.
        low: Lower end of its 95 % interval.
        high: Upper end.
        as_silent: The share of others silent for as long who left (None: not known).
    """

    signal: str
    label: Message
    reason: Message
    raised_on: dt.date
    alerts: int = 0
    right: float = 0.0
    low: float = 0.0
    high: float = 0.0
    as_silent: float | None = None

    @property
    def calls(self) -> bool:
        """Whether it calls for anything: it has an answer of its own, or tells more than silence.

        Customers about whom it is raised and who surely leave less often than others who are
        silent for as long need nobody to ask whether all is well.
        """
        if self.signal in ANSWERS or not self.alerts or self.as_silent is None:
            return True
        return self.high >= self.as_silent


@dataclass(frozen=True)
class Owned:
    """A product of a customer that is due for an upgrade.

    Attributes:
        product: What it is called.
        since: The day that it was last bought.
        due_on: The day that it is due.
        given: Whether the data give that day; else it is the usual time of those who moved up.
        offer: What most buyers move up to (None: not known).
    """

    product: str
    since: dt.date
    due_on: dt.date
    given: bool
    offer: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Owned:
        """From a row of `revoir.models.upgrades.due_upgrades`."""
        return cls(row["product"], row["since"], row["due_on"], row["given"], row["offer"])


@dataclass(frozen=True)
class Likely:
    """A product that a customer is likely to buy.

    Attributes:
        product: What it is called.
        why: Why it is recommended.
        hits: Customers of the past who bought one of the products so recommended to them.
        of: Of how many who came back.
    """

    product: str
    why: Message
    hits: int = 0
    of: int = 0


@dataclass(frozen=True)
class Reach:
    """Whether a customer may be contacted for a purpose.

    Attributes:
        channels: The ways that are allowed, in words.
        reason: Why there is none (None: there is one).
    """

    channels: tuple[str, ...]
    reason: Message | None = None


@dataclass(frozen=True)
class Known:
    """Everything that the rules look at, of one customer.

    Attributes:
        today: The day that is spoken on (None: the data have no dates, and nobody saw to anything).
        known_on: The last day of the data: of what was bought later nothing is known (None: today).
        currency: Of the amounts (None: not known).
        alerts: Those that are open and not put off.
        put_off_until: The day that the first one that was put off comes back (None: none was).
        handled_on: The day that somebody last closed an alert with an outcome (None: nobody did).
        leaves: Probability of leaving (None: not known).
        leaves_mean: Its mean over all customers.
        worth: What was bought for in a year; of a subscriber, twelve times the price a month.
        monthly: Whether it is of a subscriber.
        stake: Probability × worth.
        next_on: The day of the next purchase, if it comes.
        low_on: From when.
        high_on: Until when.
        returns: Probability that it comes within the horizon.
        horizon_days: So many days.
        overdue: Whether the silence is long for this customer's rhythm.
        upgrades: Products due for an upgrade.
        likely: Products that they are likely to buy, the likeliest first.
        nothing: Why nothing is foretold (None: something is).
        reach: Purpose → whether a contact is allowed. A purpose that is left out is: whoever asks
            knows of no consents.
        barred: Why no contact at all is possible (None: one may be).
    """

    today: dt.date | None
    known_on: dt.date | None = None
    currency: str | None = None
    alerts: tuple[OpenAlert, ...] = ()
    put_off_until: dt.date | None = None
    handled_on: dt.date | None = None
    leaves: float | None = None
    leaves_mean: float | None = None
    worth: float | None = None
    monthly: bool = False
    stake: float | None = None
    next_on: dt.date | None = None
    low_on: dt.date | None = None
    high_on: dt.date | None = None
    returns: float | None = None
    horizon_days: int | None = None
    overdue: bool = False
    upgrades: tuple[Owned, ...] = ()
    likely: tuple[Likely, ...] = ()
    nothing: Message | None = None
    reach: Mapping[str, Reach] = field(default_factory=dict)
    barred: Message | None = None

    @property
    def day(self) -> dt.date | None:
        """The day that days of purchases are held against."""
        return self.known_on or self.today

    @property
    def is_rested(self) -> bool:
        """Whether nobody saw to an alert lately."""
        if self.handled_on is None or self.today is None:
            return True
        return (self.today - self.handled_on).days >= REST_DAYS


@dataclass(frozen=True)
class Action:
    """Something to do, or why there is nothing.

    Attributes:
        rule: The name of the rule that it comes from.
        text: What to do.
        reason: Why.
        figure: The figure that it follows from (None: it follows from none).
        channels: The ways in which a contact is allowed, in words; empty where none is needed or
            whoever asks knows of no consents.
    """

    rule: str
    text: Message
    reason: Message
    figure: Message | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """What to do with a customer now.

    Attributes:
        actions: At most `SHOWN`, the first thing to do first; never empty.
        held_back: What would be done if the contact were allowed, with why it is not.
    """

    actions: tuple[Action, ...]
    held_back: tuple[tuple[Action, Message], ...] = ()

    @property
    def acts(self) -> bool:
        """Whether there is something to do."""
        return self.actions[0].rule not in (WAIT, NO_CONTACT)


Found = Iterable[tuple[Message, Message, Message | None]]
"""What to do, why, and the figure."""


@dataclass(frozen=True)
class Rule:
    """When something is to be done.

    Attributes:
        name: Its name in every interface.
        does: What is done, in words.
        holds: When, in words.
        purposes: What the customer is contacted for; one of them must be allowed.
        found: What is known → what to do.
    """

    name: str
    does: Message
    holds: Message
    purposes: tuple[str, ...]
    found: Callable[[Known], Found] = field(repr=False)


# -- Alerts --------------------------------------------------------------------------------------
_CALL = msg("Get in touch: ask whether all is well, and what they would need.")
ANSWERS: Mapping[str, Message] = {
    "complaints": msg("Have one person call and settle what they complained about."),
    "unanswered": msg("Answer what they asked, today."),
    "detractor": msg("Ask what went wrong, and what would put it right."),
    "negative_sentiment": msg("Ask what went wrong, and what would put it right."),
    "returns_rising": msg("Ask what did not suit, and help them choose."),
    "unsubscribed": msg("Send nothing more of the kind; ask what they would rather hear about."),
    "payment_failed": msg("Tell them that the payment failed, and how to pay."),
    "plan_downgraded": msg("Ask what the dearer plan did not give them."),
    "subscription_ending": msg("Call before the subscription ends: ask whether they mean to stay."),
}
"""What answers an alert, by signal; any other is answered by getting in touch."""


def _alerted(known: Known) -> Found:
    """One action for all alerts that call for the same, told by the one most often right."""
    said: set[str] = set()
    ordered = sorted(
        (one for one in known.alerts if one.calls),
        key=lambda one: (-one.low, -one.right, -one.raised_on.toordinal(), one.signal),
    )
    for alert in ordered:
        text = ANSWERS.get(alert.signal, _CALL)
        if text.msgid not in said:
            said.add(text.msgid)
            reason = msg(
                "{signal}, on {day}: {reason}",
                signal=alert.label,
                day=alert.raised_on,
                reason=alert.reason,
            )
            yield text, reason, _record(alert)


def _record(alert: OpenAlert) -> Message:
    if not alert.alerts:
        return msg("Too few such alerts are in the past to tell how often they were right.")
    told = nmsg(
        "Of {n} such alert in the past, {share} was right ({low} to {high}): the customer left.",
        "Of {n} such alerts in the past, {share} were right ({low} to {high}): the customer left.",
        alert.alerts,
        share=Percent(alert.right, 0),
        low=Percent(alert.low, 0),
        high=Percent(alert.high, 0),
    )
    if alert.as_silent is None:
        return told
    return msg(
        "{record} Of others silent for as long, {share} left.",
        record=told,
        share=Percent(alert.as_silent, 0),
    )


# -- Predictions ---------------------------------------------------------------------------------
def _due(known: Known) -> Found:
    for owned in known.upgrades:
        text = (
            msg("Propose “{offer}” in place of “{product}”.", offer=owned.offer,
                product=owned.product)
            if owned.offer
            else msg("Propose what follows “{product}”.", product=owned.product)
        )  # fmt: skip
        reason = msg(
            "Bought on {since}, due for an upgrade on {due}.", since=owned.since, due=owned.due_on
        )
        source = (
            msg("The day stands in the data.")
            if owned.given
            else msg("That is when half of those who moved up to a dearer one had done so.")
        )
        yield text, reason, source
        return


def _leaving(known: Known) -> Found:
    mean = known.leaves_mean or 0.0
    if any(one.calls for one in known.alerts):
        return
    if known.leaves is None or known.leaves < max(LEAVES_MIN, mean):
        return
    if not known.is_rested:
        return
    reason = (
        msg("Likelier to leave than to stay: {share}.", share=Percent(known.leaves, 0))
        if known.leaves_mean is None
        else msg(
            "Likelier to leave than to stay: {share}; the mean of all customers is {mean}.",
            share=Percent(known.leaves, 0),
            mean=Percent(mean, 0),
        )
    )
    figure = None
    if known.stake is not None and known.worth is not None:
        told = {
            "share": Percent(known.leaves, 0),
            "worth": Money(known.worth, known.currency, 0),
            "stake": Money(known.stake, known.currency, 0),
        }
        figure = (
            msg(
                "At stake: {share} × {worth}, twelve times the price a month, = {stake}.",
                **told,
            )
            if known.monthly
            else msg("At stake: {share} × {worth} bought in the last year = {stake}.", **told)
        )
    yield _CALL, reason, figure


def _to_propose(known: Known) -> Found:
    """The likeliest product, for those whose next purchase is due, late, or not foreseen."""
    if not known.likely:
        return
    # Of whom it is known how probable a purchase is, but no day, one is expected much later.
    later = known.low_on is None or known.day is None or known.day < known.low_on
    foreseen = known.low_on is not None or known.returns is not None
    if not known.overdue and foreseen and later:
        return
    first = known.likely[0]
    figure = None
    if first.of:
        figure = nmsg(
            "Of {n} customer of the past who came back, {hits} bought one of ten products so"
            " chosen ({share}).",
            "Of {n} customers of the past who came back, {hits} bought one of ten products so"
            " chosen ({share}).",
            first.of,
            hits=first.hits,
            share=Percent(first.hits / first.of, 0),
        )
    yield (
        msg("Propose “{product}”.", product=first.product),
        msg("Likely to be bought: {why}.", why=first.why),
        figure,
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "alert",
        msg("Answer an open alert"),
        msg(
            "An alert of the customer is open and not put off, and has an answer of its own or was"
            " not surely right less often than silence alone. Several that call for the same are"
            " one action, told by the alert that was most surely right in the past."
        ),
        (SERVICE, NEWS),
        _alerted,
    ),
    Rule(
        "leaving",
        msg("Get in touch with who is likely to leave"),
        msg(
            "No alert calls for anything, the probability of leaving is half or more and at least"
            " the mean of all customers, and nobody saw to an alert of theirs in the last 30 days."
        ),
        (SERVICE, NEWS),
        _leaving,
    ),
    Rule(
        "upgrade",
        msg("Propose an upgrade"),
        msg("A product that they own is due for an upgrade within 30 days, or has been."),
        (SERVICE, NEWS),
        _due,
    ),
    Rule(
        "product",
        msg("Propose the likeliest product"),
        msg(
            "A product is recommended, and the next purchase is due by now, overdue, or not"
            " foreseen. Whoever is expected later is left alone."
        ),
        (NEWS,),
        _to_propose,
    ),
)
"""The rules in their order: what is known to have begun, what is foretold, what can be sold."""
WAIT, NO_CONTACT = "wait", "no_contact"
"""What is said where no rule holds, and where none may be followed."""


def advise(known: Known) -> Advice:
    """Say what to do with a customer now.

    Args:
        known: What is known of them.

    Returns:
        The actions in the order of `RULES`; one that says why there is nothing to do, or why no
        contact is allowed, where no other is left.

    Examples:
        >>> day = dt.date(2024, 3, 1)
        >>> known = Known(day, next_on=dt.date(2024, 4, 2), low_on=dt.date(2024, 3, 20),
        ...               high_on=dt.date(2024, 5, 9), returns=0.8)
        >>> action, = advise(known).actions
        >>> print(action.text, action.reason)
        Nothing to do now. The next purchase is expected between 20 Mar 2024 and 9 May 2024.
    """
    if known.barred is not None:
        return Advice((Action(NO_CONTACT, _DO_NOT, known.barred),))
    done: list[Action] = []
    held_back: list[tuple[Action, Message]] = []
    for rule in RULES:
        channels, refusal = _allowed(known, rule.purposes)
        for text, reason, figure in rule.found(known):
            action = Action(rule.name, text, reason, figure, channels)
            if refusal is None:
                done.append(action)
            else:
                held_back.append((action, refusal))
    if not done:
        done = [_no_contact(held_back) if held_back else _wait(known)]
    return Advice(tuple(done[:SHOWN]), tuple(held_back[:SHOWN]))


_DO_NOT = msg("Do not contact them.")


def _allowed(known: Known, purposes: Sequence[str]) -> tuple[tuple[str, ...], Message | None]:
    """The ways that any of some purposes allows, or why none does.

    Who has just unsubscribed is asked about that; they are sent no offer beside it.
    """
    if tuple(purposes) == (NEWS,) and any(one.signal == "unsubscribed" for one in known.alerts):
        return (), msg("They have unsubscribed.")
    asked = [known.reach[purpose] for purpose in purposes if purpose in known.reach]
    channels = tuple(dict.fromkeys(channel for one in asked for channel in one.channels))
    if channels or len(asked) < len(purposes):
        return channels, None
    return (), in_turn([one.reason for one in asked if one.reason is not None])


def _no_contact(held_back: list[tuple[Action, Message]]) -> Action:
    return Action(NO_CONTACT, _DO_NOT, held_back[0][1])


def _wait(known: Known) -> Action:
    return Action(WAIT, msg("Nothing to do now."), *_why_wait(known))


def _why_wait(known: Known) -> tuple[Message, Message | None]:
    if known.put_off_until is not None:
        return msg("An alert is put off until {day}.", day=known.put_off_until), None
    if not known.is_rested:
        return msg("Somebody saw to an alert on {day}.", day=known.handled_on), None
    still = known.high_on is not None and known.day is not None and known.high_on >= known.day
    ahead = still and not known.overdue
    # The days are those of a purchase if it comes: they alone do not say that it does.
    if ahead and (known.returns is None or known.returns >= RETURNS_MIN):
        told = msg(
            "The next purchase is expected between {low} and {high}.",
            low=known.low_on,
            high=known.high_on,
        )
        return told, _comes(known)
    if known.alerts:
        quiet = known.alerts[0]
        told = msg("“{signal}” foretells no departure here.", signal=quiet.label)
        return told, _record(quiet)
    if known.leaves is not None:
        told = (
            msg("No alert is open, and they are likelier to stay than to leave.")
            if known.leaves < LEAVES_MIN
            else msg("No alert is open, and they are no likelier to leave than the mean.")
        )
        return told, msg("Risk of leaving: {share}.", share=Percent(known.leaves, 0))
    if known.returns is not None and known.returns < RETURNS_MIN:
        return msg("No alert is open, and no purchase is expected of them."), _comes(known)
    if known.nothing is not None:
        return msg("No alert is open. {nothing}", nothing=known.nothing), None
    return msg("No alert is open, and nothing is foretold of this customer."), None


def _comes(known: Known) -> Message | None:
    """How probable the next purchase is (None: that is not known)."""
    if known.returns is None or known.horizon_days is None:
        return None
    return nmsg(
        "It comes within {n} day with a probability of {share}.",
        "It comes within {n} days with a probability of {share}.",
        known.horizon_days,
        share=Percent(known.returns, 0),
    )


UNMEASURED = msg(
    "What such contacts change has not been measured here yet, so no effect is claimed."
)
"""Stands beside every advice until experiments say otherwise."""
