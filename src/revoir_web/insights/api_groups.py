"""RFM and what-if, for programs: the stored answers of the pages."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Schema

from revoir_web.common.rights import Right
from revoir_web.insights import queries, runs
from revoir_web.insights.api_told import Told, router, told
from revoir_web.insights.forms import POINTS_MAX


class RfmSegment(Schema):
    """The customers of an RFM segment."""

    segment: str
    label: str
    advice: str
    customers: int
    share: float
    revenue: float | None


class Move(Schema):
    """How many customers went from a segment to another, or stayed."""

    before: str | None = Field(description="Null: not yet a customer.")
    after: str
    customers: int


class RfmAnswer(Told):
    """Who the customers are by recency, frequency and money, and who moved."""

    segments: list[RfmSegment] = Field(default_factory=list)
    cutoffs: list[str] = Field(default_factory=list, description="What the scores mean.")
    note: str | None = None
    before: dt.date | None = Field(None, description="The day that the segments are compared with.")
    moves: list[Move] = Field(default_factory=list)
    moves_reason: str | None = Field(None, description="Why there is nothing to compare with.")


class RfmQuery(Schema):
    """What RFM is compared with."""

    before: dt.date | None = Field(None, description="An earlier day; three months ago if absent.")


@router.serve(
    "GET",
    "/rfm",
    rights=[Right.SEE_DASHBOARD],
    gives=RfmAnswer,
    summary="The RFM segments, and who moved between them",
)
def rfm(request: HttpRequest, asked_for: Query[RfmQuery]) -> dict[str, Any]:
    """RFM; another day to compare with is computed first, and `state` says so."""
    before = asked_for.before.isoformat() if asked_for.before else ""
    asked = runs.ask("rfm", {"before": before})
    shown, data = asked.result or {}, asked.data
    words = {row["key"]: row for row in shown.get("segments", [])}
    return {
        **told(asked),
        "segments": [
            {**row, **{name: words[row["segment"]][name] for name in ("label", "advice")}}
            for row in data.get("segments", [])
        ],
        "cutoffs": shown.get("cutoffs", []),
        "note": shown.get("note"),
        "before": data.get("before"),
        "moves": [
            {"before": before, "after": after, "customers": customers}
            for before, after, customers in data.get("moves", [])
        ],
        "moves_reason": shown.get("movement_reason"),
    }


Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Scenario(Schema):
    """The numbers of a scenario; those left out are the company's own."""

    points: Annotated[float, Field(ge=0.1, le=POINTS_MAX, allow_inf_nan=False)] = Field(
        3.0, description="Points of retention more."
    )
    margin: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="As a share of revenue: 0.35 is 35 %."
    )
    acquisition_cost: Amount | None = Field(None, description="What winning a customer costs.")
    keeping_cost: Amount | None = Field(None, description="What keeping a customer costs.")


class Kept(Schema):
    """What a scenario brings; null where a number is missing."""

    points: float
    retention: float
    customers: float = Field(description="How many more are kept.")
    revenue: float
    revenue_share: float | None
    profit: float | None
    clv: float | None = Field(
        description="What a customer brings before leaving: revenue where the margin is not known."
    )
    cost: float | None
    net: float | None
    winning: float | None = Field(description="What winning as many would cost.")
    times: float | None = Field(description="How many times the cost of keeping that is.")


class WhatIfAnswer(Told):
    """What keeping more customers would bring."""

    at_start: float | None = Field(None, description="Customers at the start of the period.")
    retention: float | None = None
    revenue: float | None = None
    spend: float | None = Field(None, description="What a customer who is kept spends.")
    margin: float | None = None
    acquisition_cost: float | None = None
    currency: str | None = None
    scenario: Kept | None = Field(
        None, description="Null: nothing is known yet, or more would be kept than there are."
    )


@router.serve(
    "GET",
    "/what-if",
    rights=[Right.SEE_DASHBOARD],
    gives=WhatIfAnswer,
    summary="What keeping more customers would bring",
)
def what_if(request: HttpRequest, asked_for: Query[Scenario]) -> dict[str, Any]:
    """A scenario from the stored numbers of the company, or with others in their place."""
    asked = runs.look("what-if")
    names = (
        "at_start", "retention", "revenue", "spend", "margin", "acquisition_cost", "currency",
    )  # fmt: skip
    scenario = None
    if asked.result is not None and asked.data["retention"] + asked_for.points / 100 <= 1:
        scenario = queries.what_if(asked.data, asked_for.dict(exclude_none=True))
    return {
        **told(asked),
        **{name: asked.data.get(name) for name in names},
        "scenario": scenario,
    }
