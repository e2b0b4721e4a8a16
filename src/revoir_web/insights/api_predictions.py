"""What is foretold of customers, for programs: the stored answers, and of one customer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir.models.because import why
from revoir_web.common.api import Refused
from revoir_web.common.forms import NAME_MAX
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.customers.models import Customer
from revoir_web.insights import advice, foresight, runs
from revoir_web.insights.api_told import Of, Told, router, told
from revoir_web.insights.models import PredictionRun


class AtRisk(Schema):
    """A customer to save."""

    customer: str
    probability: float
    worth: float | None = Field(
        description="What they bought in the last year; of subscribers, twelve times the price a"
        " month."
    )
    stake: float | None = Field(description="Probability × worth.")
    reasons: list[str]


class Departures(Told):
    """The customers to save, and how good such lists were."""

    as_of: dt.date | None = None
    definition: list[str] = Field(default_factory=list)
    reason: str | None = Field(None, description="Why there is no list.")
    record: list[str] = Field(default_factory=list)
    customers: list[AtRisk] = Field(default_factory=list)


class Upcoming(Schema):
    """When a customer is expected to buy."""

    customer: str
    overdue: bool
    next: dt.date | None
    low: dt.date | None
    high: dt.date | None
    returns: float | None = Field(description="Probability of a purchase within the horizon.")


class NextPurchases(Told):
    """Who is overdue against their own rhythm, and who is due within two weeks."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is foretold.")
    record: list[str] = Field(default_factory=list)
    customers: list[Upcoming] = Field(default_factory=list)


class Valued(Schema):
    """What a customer will bring in."""

    customer: str
    clv: float | None = Field(
        description="Expected within a year: margin where its share is known, else sales (null: no"
        " amounts)."
    )
    low: float | None
    high: float | None
    historic: float | None = Field(
        None, description="What they have bought for, less what came back; margin as `clv` is."
    )
    total: float | None = Field(None, description="`historic` + `clv`.")
    expected_purchases: float | None
    alive: float | None = Field(description="Probability of still being a customer.")


class Total(Schema):
    """A sum between its bounds."""

    value: float
    low: float
    high: float


class WeekOut(Schema):
    """The repeat purchases of one week."""

    start: dt.date
    complete: bool
    held_out: bool = Field(description="Whether the model was fitted to what was known before it.")
    actual: float
    expected: float
    actual_so_far: float
    expected_so_far: float


class FrequencyOut(Schema):
    """Customers with one number of repeat purchases."""

    frequency: int
    or_more: bool
    actual: float
    expected: float


class HoldOut(Schema):
    """The model fitted to what was known by a day, and what came."""

    until: dt.date
    by_week: list[WeekOut]


class Fit(Schema):
    """How the model of purchases fits."""

    by_frequency: list[FrequencyOut]
    by_week: list[WeekOut]
    hold_out: HoldOut | None


class SimpleForm(Schema):
    """The simple form of a customer's value: the product of its parts."""

    value: float | None
    average_order_value: float | None = None
    orders_a_year: float | None = None
    lifespan_years: float | None = None
    margin: float | None = Field(None, description="1 where no margin is known.")
    reason: str | None = Field(None, description="Why there is no value.")


class Worth(Told):
    """What customers will bring in within a year, those worth most first."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is foretold.")
    currency: str | None = None
    confidence: float | None = None
    total: Total | None = None
    mean: float | None = Field(None, description="`clv` of a customer on average.")
    simple: SimpleForm | None = Field(
        None, description="Of whoever buys now, over the whole time they stay; null: no purchases."
    )
    record: list[str] = Field(default_factory=list)
    goodness: Fit | None = Field(None, description="Null where there is no model of purchases.")
    customers: list[Valued] = Field(default_factory=list)


class Together(Schema):
    """Two products that are bought together more often than by chance."""

    product: str
    other: str
    baskets: int
    lift: float
    lift_low: float
    lift_high: float


class DueUpgrade(Schema):
    """A product of a customer that is due for an upgrade."""

    customer: str
    product: str
    due_on: dt.date
    offer: str | None


class Joining(Schema):
    """A product that joins another in the basket more often than by chance."""

    product: str
    name: str
    baskets: int = Field(description="How many hold both.")
    confidence: float = Field(description="Share of the other's baskets that hold it.")
    lift: float
    lift_low: float
    lift_high: float


class MoveUp(Schema):
    """A dearer product of the category that buyers of another bought later."""

    product: str
    name: str
    moved: int = Field(description="How many buyers did.")
    buyers: int = Field(description="Of how many.")
    share_low: float
    share_high: float
    price: float
    other_price: float
    days: float = Field(description="Between the two, at the median.")


class OneProduct(Told):
    """What goes with one product."""

    product: str | None = None
    name: str | None = None
    together: list[Joining] = Field(default_factory=list)
    move_up_to: list[MoveUp] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list, description="Why something cannot be told.")


class WhichProduct(Schema):
    """A product to look at."""

    product: str = Field("", max_length=NAME_MAX, description="Its code or name.")


class ProductsAnswer(Told):
    """What goes together, what is due, and how good recommendations were."""

    as_of: dt.date | None = None
    reason: str | None = Field(None, description="Why nothing is recommended.")
    method: str | None = None
    record: list[str] = Field(default_factory=list)
    pairs: list[Together] = Field(default_factory=list)
    upgrades: list[DueUpgrade] = Field(default_factory=list)
    not_recommended: list[str] = Field(default_factory=list, description="By the settings.")
    one: OneProduct | None = Field(None, description="Of `product`, where one was asked about.")


class Recommended(Schema):
    """A product that a customer is likely to buy."""

    product: str
    name: str | None
    why: str


class ToDo(Schema):
    """Something to do with a customer now, or why there is nothing."""

    rule: str = Field(
        description="alert, leaving, upgrade, product; wait: nothing to do; no_contact: not allowed"
    )
    text: str
    reason: str
    figure: str | None = Field(description="The figure that it follows from.")
    channels: list[str] = Field(description="The ways in which a contact is allowed, in words.")


class HeldBack(ToDo):
    """What would be done if the contact were allowed."""

    refusal: str = Field(description="Why it is not.")


class Foretold(Schema):
    """What is foretold of one customer; null where nothing is known."""

    customer: str
    as_of: dt.date
    computed_at: dt.datetime
    leaves: float | None = Field(description="Probability of leaving.")
    reasons: list[str]
    clv: float | None = Field(
        description="Expected within a year: margin where its share is known, else sales."
    )
    clv_low: float | None
    clv_high: float | None
    clv_historic: float | None = Field(
        description="What they have bought for, less what came back; margin as `clv` is."
    )
    clv_total: float | None = Field(description="`clv_historic` + `clv`.")
    purchases: float | None = Field(description="Purchases expected within a year.")
    alive: float | None = Field(description="Probability of still being a customer.")
    next_on: dt.date | None
    low_on: dt.date | None
    high_on: dt.date | None
    returns: float | None = Field(description="Probability of a purchase within the horizon.")
    overdue: bool | None
    health: float | None = Field(description="From 0 (worst) to 100.")
    contract_leaves: float | None = Field(
        description="Where they buy and subscribe: probability that the contract ends."
    )
    contract_reasons: list[str]
    contract_clv: float | None = Field(description="What the contract brings in within a year.")
    contract_clv_low: float | None
    contract_clv_high: float | None
    products: list[Recommended]
    next_actions: list[ToDo] = Field(
        description="At most three, the first thing to do first. No effect of them is measured yet."
    )
    held_back: list[HeldBack]


def _asked(kind: str, of: str) -> runs.Asked:
    if of and not runs.told_apart(kind):
        raise Refused(404, "not_found", _("Subscribers are not foretold apart from buyers here."))
    return runs.ask(kind, {"of": of})


def _customers(asked: runs.Asked) -> list[dict[str, Any]]:
    """The rows of a stored list, each with its customer."""
    return [{**row, "customer": row["id"]} for row in asked.data.get("customers", [])]


@router.serve(
    "GET",
    "/departures",
    rights=[Right.SEE_DASHBOARD],
    gives=Departures,
    summary="The customers to save, the most pressing first, with the record of such lists",
)
def departures(request: HttpRequest, of: Of = "") -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = _asked("departures", of)
    shown = asked.result or {}
    rows = zip(_customers(asked), shown.get("customers", []), strict=True)
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        **{name: shown[name] for name in ("definition", "reason", "record") if name in shown},
        "customers": [{**row, "reasons": words["reasons"]} for row, words in rows],
    }


@router.serve(
    "GET",
    "/next-purchases",
    rights=[Right.SEE_DASHBOARD],
    gives=NextPurchases,
    summary="Who is overdue against their own rhythm, and who will buy within two weeks",
)
def next_purchases(request: HttpRequest) -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = runs.ask("next", {})
    shown = asked.result or {}
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        **{name: shown[name] for name in ("reason", "record") if name in shown},
        "customers": _customers(asked),
    }


@router.serve(
    "GET",
    "/clv",
    rights=[Right.SEE_DASHBOARD],
    gives=Worth,
    summary="What customers will bring in within a year, those worth most first",
)
def clv(request: HttpRequest, of: Of = "") -> dict[str, Any]:
    """The stored list; where the data changed since, a new one is computed."""
    asked = _asked("worth", of)
    shown = asked.result or {}
    names = ("as_of", "currency", "confidence", "total", "mean", "goodness")
    simple = asked.data.get("simple")
    return {
        **told(asked),
        **{name: asked.data.get(name) for name in names},
        "simple": simple and {**simple, "reason": shown.get("simple")},
        "reason": shown.get("reason"),
        "record": shown.get("notes", []),
        "customers": _customers(asked),
    }


@router.serve(
    "GET",
    "/products",
    rights=[Right.SEE_DASHBOARD],
    gives=ProductsAnswer,
    summary="What goes together, or with one product, what is due for an upgrade",
)
def products(request: HttpRequest, which: Query[WhichProduct]) -> dict[str, Any]:
    """The stored answer; where the data changed since, a new one is computed."""
    asked = runs.ask("products", {})
    shown = asked.result or {}
    return {
        **told(asked),
        "as_of": asked.data.get("as_of"),
        "method": asked.data.get("method"),
        "reason": shown.get("reason"),
        "record": shown.get("record", []),
        "pairs": asked.data.get("pairs", []),
        "upgrades": _customers(asked),
        "not_recommended": asked.data.get("not_recommended", []),
        "one": _one(which.product.strip()),
    }


class HealthPart(Schema):
    """A part of the health score."""

    name: str
    label: str
    meaning: str = Field(description="From best to worst.")
    weight: float = Field(description="Of 100.")


class HealthBand(Schema):
    """Customers of the past by their score, and how many left."""

    low: float
    high: float
    customers: int
    left: int
    share_low: float = Field(description="Of those who left, with its 95 % interval.")
    share_high: float


class HealthAnswer(Told):
    """What the health score is made of, and whether a higher one meant that fewer left."""

    reason: str | None = Field(None, description="Why there is no score.")
    parts: list[HealthPart] = Field(default_factory=list)
    record: str | None = Field(None, description="How good the score was, in words.")
    day: dt.date | None = Field(None, description="Of the past, on which it was computed.")
    horizon_days: int | None = Field(None, description="How long after it was looked.")
    auc: float | None = None
    bands: list[HealthBand] = Field(default_factory=list)


@router.serve(
    "GET",
    "/health",
    rights=[Right.SEE_DASHBOARD],
    gives=HealthAnswer,
    summary="What the health score is made of, and how good it was",
)
def health(request: HttpRequest) -> dict[str, Any]:
    """The stored answer; the scores themselves are in `/api/customers`."""
    asked = runs.ask("health", {})
    shown = asked.result or {}
    words = [row[:2] for row in shown["parts"]["rows"]] if shown else []
    return {
        **told(asked),
        **{name: asked.data.get(name) for name in ("day", "horizon_days", "auc")},
        "reason": shown.get("reason"),
        "record": shown.get("check"),
        "parts": [
            {**part, "label": label, "meaning": meaning}
            for part, (label, meaning) in zip(asked.data.get("parts", []), words, strict=True)
        ],
        "bands": asked.data.get("bands", []),
    }


class StayCurve(Schema):
    """The share of a group still there after a time, with its 95 % interval."""

    group: str | None = Field(description="Null: all customers.")
    customers: int
    left: int
    median: int | None = Field(description="Half are gone after so long; null: fewer left.")
    unit: str
    time: int
    survival: float | None = Field(description="Null: nobody was watched so long.")
    low: float | None
    high: float | None


class StayHazard(Schema):
    """By what something known on the first day multiplies the rate of leaving (Cox)."""

    column: str
    level: str | None = Field(description="Null: a figure, by one standard deviation.")
    reference: str | None
    hazard_ratio: float
    low: float
    high: float
    p: float


class Stays(Told):
    """How long customers stay."""

    unit: str | None = None
    by: str | None = None
    reason: str | None = Field(None, description="Why nothing is said.")
    columns: list[str] = Field(default_factory=list, description="What they may be parted by.")
    curves: list[StayCurve] = Field(default_factory=list)
    log_rank_p: float | None = None
    hazards: list[StayHazard] = Field(default_factory=list)
    concordance: float | None = None
    notes: list[str] = Field(default_factory=list)


class WhoseStays(Schema):
    """Whose stays, and by what they are parted."""

    of: Of = Field("", description="Of subscribers apart from buyers.")
    by: str = Field("", max_length=NAME_MAX, description="A column known on the first day.")


@router.serve(
    "GET",
    "/stays",
    rights=[Right.SEE_DASHBOARD],
    gives=Stays,
    summary="How long customers stay, and what shortens it",
)
def stays(request: HttpRequest, which: Query[WhoseStays]) -> dict[str, Any]:
    """Survival curves; they are computed first, and `state` says so."""
    asked = runs.ask("stays", {"by": which.by.strip(), "of": which.of})
    names = ("unit", "by", "log_rank_p", "concordance")
    shown = asked.result or {}
    return {
        **told(asked),
        **{name: asked.data.get(name) for name in names},
        **{name: asked.data.get(name, []) for name in ("columns", "curves", "hazards")},
        "reason": shown.get("reason"),
        "notes": shown.get("notes", []),
    }


def _one(name: str) -> dict[str, Any] | None:
    """What goes with a product, where one is named."""
    if not name:
        return None
    asked = runs.ask("product", {"product": name})
    reasons = (asked.result or {}).get("reasons", [])
    return {**told(asked), **asked.data, "reasons": reasons}


@router.serve(
    "GET",
    "/customers/{id}/predictions",
    rights=[Right.SEE_CUSTOMERS],
    gives=Foretold,
    summary="What is foretold of a customer, and what to do with them now",
)
def customer_predictions(request: HttpRequest, id: str) -> dict[str, Any]:
    """What the last computation says; 404 where it says nothing of the customer."""
    run = PredictionRun.objects.first()
    customer = Customer.objects.filter(pk=id).first()
    known = run is not None and foresight.of_customer(run, id)
    if run is None or customer is None or not known:
        raise Refused(404, "not_found", _("Nothing is foretold of this customer."))
    advised = advice.of_customer(customer, run, known)
    return {
        **known,
        "customer": id,
        "as_of": run.as_of,
        "computed_at": run.computed_at,
        **{
            name: [reason.text(language()) for reason in known[name]]
            for name in ("reasons", "contract_reasons")
        },
        "products": [
            {
                "product": row["product_id"],
                "name": row["product"],
                "why": why(row).text(language()),
            }
            for row in known["products"]
        ],
        "next_actions": [_to_do(action) for action in advised.actions],
        "held_back": [
            {**_to_do(action), "refusal": refusal.text(language())}
            for action, refusal in advised.held_back
        ],
    }


def _to_do(action: advice.Action) -> dict[str, Any]:
    code = language()
    return {
        "rule": action.rule,
        "text": action.text.text(code),
        "reason": action.reason.text(code),
        "figure": action.figure.text(code) if action.figure is not None else None,
        "channels": list(action.channels),
    }
