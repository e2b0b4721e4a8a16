"""The runs of predictions and their model cards, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Schema

from revoir_web.common.api import Page, Paging, Refused, paged
from revoir_web.common.rights import Right
from revoir_web.common.words import language
from revoir_web.insights import computations
from revoir_web.insights.api_told import Of, router
from revoir_web.insights.models import PredictionRun


class Learned(Schema):
    """What learned who may leave, and how good it was."""

    model: str | None = Field(description="What learned who may leave.")
    auc: float | None = Field(description="How often a leaver was put before a stayer.")
    slope: float | None = Field(description="Of the calibration: 1 where probabilities are right.")
    has_card: bool


class RunOut(Learned):
    """A computation of everything that is foretold."""

    number: str
    computed_at: dt.datetime
    as_of: dt.date
    customers: int = Field(description="Of how many anything is foretold.")
    seconds: float
    subscribers: Learned | None = Field(
        description="Of whose contract may end, where there are buyers too: `of=subscriptions`."
    )


class Estimate(Schema):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Bin(Schema):
    """Customers of about the same predicted probability."""

    n: int
    predicted: float
    left: int
    low: float = Field(description="Lower end of the 95 % interval of the share that left.")
    high: float


class Judged(Schema):
    """How good probabilities were on the customers of the test."""

    customers: int
    left: int
    expected: float
    auc: Estimate
    log_loss: float
    brier: float
    slope: Estimate
    curve: list[Bin]


class Count(Schema):
    """The customers whom a list would have put first."""

    share: float = Field(description="Which share of all they are.")
    n: int
    left: int
    rate: float
    low: float
    high: float
    base: float = Field(description="The share of all customers that left.")
    lift: float
    caught: float = Field(description="Which share of all who left they are.")


class Listed(Schema):
    """What lists made then would have been worth."""

    by: str = Field(description="risk, or stake (probability × worth)")
    counts: list[Count]
    worth_lost: list[float] | None
    worth_lost_all: float | None


class Day(Schema):
    """A day that customers were looked at on."""

    day: dt.date | None
    customers: int
    left: int
    use: str = Field(description="test, learn, or none: what became of them was not known yet")


class DriverOut(Schema):
    """What weighs, over all customers."""

    theme: str
    label: str
    importance: float
    features: list[str]
    raising: str | None


class CardOut(Schema):
    """A model card, as `revoir churn --card --format json` has it, without the profiles."""

    run: str
    computed_at: dt.datetime
    as_of: dt.date | None
    kind: str = Field(description="What leaving is read from.")
    definition: str
    window_days: int | None
    seed: int
    days: list[Day]
    learned_from: int
    used: str | None = Field(description="rule, logistic, trees, both; null: too few customers")
    rule: str | None
    tested_on: str | None = Field(description="later, others; null: too few to judge")
    judged: dict[str, Judged]
    gain: Estimate | None = Field(description="By how much it beat the rule, in log-loss.")
    refusal: str | None
    lists: list[Listed]
    by_fold: list[float]
    by_day: dict[str, float]
    drivers: list[DriverOut]
    left_out: list[list[str]] = Field(description="Features that could not be used, and why.")
    labels: dict[str, str]
    drift: dict[str, float] = Field(
        description="Population stability index of each feature, of customers then against those"
        " learned from."
    )


@router.serve(
    "GET",
    "/predictions",
    rights=[Right.SEE_DASHBOARD],
    gives=Page[RunOut],
    summary="The computations of predictions that are kept, the last first",
)
def prediction_runs(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """What was computed when, from what was known up to which day, and how good it was."""
    found, following = paged(
        PredictionRun.objects.prefetch_related(computations.cards_without_content()),
        limit=paging.limit, cursor=paging.cursor,
    )  # fmt: skip
    return {"items": [_run(run) for run in found], "next": following}


def _run(run: PredictionRun) -> dict[str, Any]:
    fields = ("number", "computed_at", "as_of", "customers", "seconds")
    return {
        **{name: getattr(run, name) for name in fields},
        **_learned(run, ""),
        "subscribers": _learned(run, "subscriptions") if computations.is_apart(run) else None,
    }


def _learned(run: PredictionRun, of: Of) -> dict[str, Any]:
    kept = run.facts.get(computations.CARDS[of], {})
    told = {name: kept.get(name) for name in ("model", "auc", "slope")}
    return {**told, "has_card": computations.has_card(run, of)}


@router.serve(
    "GET",
    "/predictions/{number}/card",
    rights=[Right.SEE_DASHBOARD],
    gives=CardOut,
    summary="The model card of a computation: who may leave, how that was learned, how good it was",
)
def model_card(request: HttpRequest, number: str, of: Of = "") -> dict[str, Any]:
    """The card of a run (`last`: of the last that has one); 404 where it has none."""
    held = computations.model_card(None if number == "last" else number, of)
    if held is None:
        raise Refused(404, "not_found", _("This computation has no model card."))
    return {
        "run": held.run.number,
        "computed_at": held.run.computed_at,
        **held.card[language()]["record"],
    }
