"""What the page of a customer says of what comes next, from the last run of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from revoir.language import Message, Money, Number, Percent, in_days, msg, written
from revoir.models.because import why
from revoir_web.common import words
from revoir_web.common.models import Company
from revoir_web.customers.facts import Panel, show
from revoir_web.customers.models import Customer
from revoir_web.insights import advice, foresight
from revoir_web.insights.models import PredictionRun
from revoir_web.insights.predictions import share, whole


def context(request: HttpRequest, customer: Customer) -> Mapping[str, Any]:
    """What is foretold of a customer, in words.

    Args:
        request: Who asks.
        customer: Of whom.
    """
    run, told = _foretold(request, customer)
    if run is None or told is None:
        return {"run": run, "told": None}
    company = getattr(request, "company", None) or Company.current()
    return {
        "run": run,
        "told": told,
        "rows": _rows(run, told, company.currency),
        "parts": _parts(run, told),
        "products": [
            {"name": row["product"] or row["product_id"], "why": _said(why(row))}
            for row in told["products"]
        ],
    }


def _unreasoned(run: PredictionRun, told: Mapping[str, Any]) -> list[Message]:
    """Why no reasons stand beside a risk that is above the average."""
    facts = run.facts.get("departures", {})
    reasoned, mean = facts.get("reasoned", 0), facts.get("mean")
    if reasoned < foresight.REASONED or mean is None or (told["leaves"] or 0) <= mean:
        return []
    return [
        msg("Why is worked out for the {n} most pressing customers alone.", n=Number(reasoned, 0))
    ]


def advised(request: HttpRequest, customer: Customer) -> Mapping[str, Any]:
    """What to do with a customer now, in words.

    Args:
        request: Who asks.
        customer: With whom.
    """
    run, told = _foretold(request, customer)
    found = advice.of_customer(customer, run, told, company=getattr(request, "company", None))
    return {
        "to_do": [
            {
                "text": _said(action.text),
                "reason": _said(action.reason),
                "figure": _said(action.figure) if action.figure is not None else "",
                "channels": ", ".join(action.channels),
            }
            for action in found.actions
        ],
        "held_back": [
            {"text": _said(action.text), "reason": _said(reason)}
            for action, reason in found.held_back
        ],
        "unmeasured": _said(advice.UNMEASURED) if found.acts else "",
        "known_on": run.as_of if run is not None and told is not None else None,
    }


def _foretold(
    request: HttpRequest, customer: Customer
) -> tuple[PredictionRun | None, Mapping[str, Any] | None]:
    """The last run with what it says of a customer, read once for all parts of a page."""
    held = getattr(request, "foretold", None)
    if held is None or held[0] != customer.pk:
        run = PredictionRun.objects.first()
        silent = run is None or customer.erased_at is not None
        told = None if silent or run is None else foresight.of_customer(run, customer.pk)
        held = (customer.pk, run, told)
        request.foretold = held  # type: ignore[attr-defined]
    return held[1], held[2]


def _said(value: Any) -> str:
    return written(value, words.language())


def _rows(run: PredictionRun, told: Mapping[str, Any], currency: str) -> list[dict[str, Any]]:
    """What is foretold, each beside what it means; or why it is not."""
    found = []
    of_margin = run.facts.get("worth", {}).get("margin", 1) != 1
    worth = _("Margin within a year") if of_margin else _("Will bring in within a year")
    so_far = _("Margin so far") if of_margin else _("Brought in so far, less returns")
    why = told["reasons"] or _unreasoned(run, told)
    for kind, label, value, beside, reasons in (
        ("departures", _("Risk of leaving"), share(told["leaves"]), None, why),
        ("worth", worth, _amount(told["clv"], currency), _bounds(told, currency), ()),
        ("historic", so_far, _amount(told["clv_historic"], currency), None, ()),
        ("total", _("Both together"), _amount(told["clv_total"], currency), None, ()),
        ("contract_departures", _("Risk that the contract ends"),
         share(told["contract_leaves"]), None, told["contract_reasons"]),
        ("contract_worth", _("The contract brings in within a year"),
         _amount(told["contract_clv"], currency), _bounds(told, currency, "contract_"), ()),
        ("next", _("Next purchase"), told["next_on"], _interval(told), ()),
        ("health", _("Health, of 100"), whole(told["health"]), None, ()),
    ):  # fmt: skip
        reason = words.from_json(run.facts.get(kind, {}).get("reason"))
        if kind.startswith("contract_"):  # whoever has none is not told why
            reason = None
        if value is not None or reason is not None:
            found.append(
                {
                    "kind": kind,
                    "label": label,
                    "value": None if value is None else _said(value),
                    "beside": _said(beside) if beside is not None else "",
                    "reason": _said(reason) if value is None and reason is not None else "",
                    "why": [_said(one) for one in reasons],
                }
            )
    return found


def _amount(value: float | None, currency: str) -> Money | None:
    return None if value is None else Money(value, currency or None, 0)


def _bounds(told: Mapping[str, Any], currency: str, of: str = "") -> Message | None:
    if told[f"{of}clv_low"] is None or told[f"{of}clv"] is None:
        return None
    ends = (f"{of}clv_low", f"{of}clv_high")
    low, high = (Money(told[name], currency or None, 0) for name in ends)
    return msg("between {low} and {high}", low=low, high=high)


def _interval(told: Mapping[str, Any]) -> Message | None:
    if told["next_on"] is None:
        return None
    if told["overdue"]:
        return msg(
            "overdue: silent for {silent}, usually {usual}; comes back with {returns}",
            silent=in_days(told["silent_days"]),
            usual=Number(told["usual_days"], 0),
            returns=Percent(told["returns"], 0),
        )
    return msg(
        "between {low} and {high}, if it comes ({returns})",
        low=told["low_on"],
        high=told["high_on"],
        returns=Percent(told["returns"], 0),
    )


def _parts(run: PredictionRun, told: Mapping[str, Any]) -> list[dict[str, str]]:
    """The parts of the health score that are known of the customer."""
    found = []
    for name, label in run.facts.get("health", {}).get("parts", []):
        points, most = told.get(f"part_{name}"), told.get(f"part_{name}_of")
        if points is not None and most is not None:
            points_of = msg("{points} of {most}", points=Number(points, 0), most=Number(most, 0))
            found.append({"label": _said(words.made(label)), "points": _said(points_of)})
    return found


show(Panel("advice", "insights/_advice.html", advised, first=True))
show(Panel("predictions", "insights/_foresight.html", context))
