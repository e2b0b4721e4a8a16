"""Alerts go with the person: merged, erased, in the file of their data, in an undone import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from revoir.language import written
from revoir_web.alerts import queries
from revoir_web.alerts.models import Alert
from revoir_web.common.words import language
from revoir_web.consents.erasure import eraser, mask
from revoir_web.consents.portability import part
from revoir_web.consents.traces import Erased, Texts
from revoir_web.customers import newcomers
from revoir_web.customers.merging import Along, goes_along
from revoir_web.customers.models import Customer
from revoir_web.customers.queries import lake_ids

goes_along("alerts", Along(Alert, once=("signal", "raised_on")))


_NOTES = Texts(Alert, ("note",), among=~Q(note=""))


@eraser("alerts.alerts")
def forget(found: Erased) -> int:
    """Alerts of persons who are erased go; where they are named in a note, an ellipsis stands."""
    gone = Alert.objects.filter(customer_id__in=found.ids).delete()[0]
    return gone + mask(_NOTES, found)


@part("alerts", gettext_lazy("Signs that you might leave"))
def of_person(customer: Customer) -> Sequence[Mapping[str, Any]]:
    """Alerts, for the file of a person's data."""
    labels = queries.labels()
    return [
        {
            _("When"): alert.raised_on.isoformat(),
            _("Signal"): labels.get(alert.signal, alert.signal),
            _("Why"): written(alert.why, language()),
            _("Closed on"): alert.closed_on.isoformat() if alert.closed_on else "",
            _("Outcome"): alert.get_outcome_display(),
            _("Note"): alert.note,
        }
        for alert in Alert.objects.filter(customer__in=lake_ids(customer)).order_by("raised_on")
    ]


@newcomers.held_by("alerts")
def _seen_to(ids: Sequence[str], source: str) -> Iterable[str]:
    """Customers about whom somebody did something."""
    del source
    handled = Q(owner__isnull=False) | ~Q(outcome="") | ~Q(note="")
    return Alert.objects.filter(handled, customer_id__in=ids).values_list("customer_id", flat=True)
