"""Visits: what customers did themselves, apart from what others did and only concerns them.

Tools write down both as events: that a message was delivered says nothing of the customer.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import ibis.expr.types as ir

from revoir.book import Book
from revoir.tables import UNSUBSCRIBED, event_key

PAYMENT_FAILED = (
    "payment_failed", "payment_failure", "charge_failed", "invoice_payment_failed",
    "paiement_refuse", "paiement_refusé", "paiement_echoue", "paiement_échoué", "echec_paiement",
    "échec_paiement", "prelevement_rejete", "prélèvement_rejeté",
)  # fmt: skip
"""What events are called that tell of a payment which did not come in."""


def _both_ways(things: str, done: str) -> set[str]:
    pairs = product(things.split(), done.split())
    return {event_key(name) for one, other in pairs for name in (one + other, other + one)}


_CARRIED = (
    "sent send delivered delivery bounced bounce hardbounce softbounce hardbounced softbounced"
    " dropped deferred processed blocked spam spamreport markedasspam"
    " envoyé envoye délivré delivre distribué distribue rebond bloqué bloque"
)
"""What becomes of a message on its way, also where the name of the event says no more."""

_OF_MESSAGES = _both_ways(
    "email e-mail mail courriel newsletter campaign campagne sms mms whatsapp push"
    " pushnotification notification",
    _CARRIED + " received drop deferral queued scheduled drafted attempted failed failure failedto"
    "deliver rejected reject suppressed skipped sendskip undelivered delayed deliverydelayed"
    " complained complaint spamcomplaint invalid error unsubscribed unsubscribe"
    " reçu recu différé differe rejeté rejete échec echec erreur plainte désabonnement",
) | {event_key(name) for name in _CARRIED.split()}

_OF_TRADE = _both_ways(
    "order commande shipment colis",
    "updated refunded partiallyrefunded cancelled canceled fulfilled partiallyfulfilled shipped"
    " dispatched delivered returned confirmed closed archived"
    " remboursée remboursee annulée annulee expédiée expediee expédié expedie livrée livree livré"
    " livre préparée preparee",
) | _both_ways(
    "payment charge invoice paymentintent refund dispute paiement facture prélèvement prelevement"
    " remboursement",
    "failed paymentfailed succeeded paymentsucceeded paid refunded created updated finalized"
    " upcoming voided disputed échoué echoue refusé refuse rejeté rejete encaissé encaisse émise"
    " emise effectué effectue",
) | _both_ways(
    "subscription customersubscription contract abonnement contrat trial essai",
    "updated deleted renewed expired ended cancelled canceled paused pastdue willend trialwillend"
    " renouvelé renouvele expiré expire terminé termine résilié resilie suspendu",
)  # fmt: skip

_OF_CONSENT = _both_ways(
    "consent consentement emailpreferences subscriptionpreferences",
    "updated changed change given granted withdrawn revoked refused modifié modifie donné donne"
    " retiré retire refusé refuse modifiées modifiees",
) | {
    event_key(name)
    for name in (
        *UNSUBSCRIBED, "unsub", "group_unsubscribe", "group_resubscribe", "resubscribed",
        "resubscribe", "unsubscribed_from_list", "unsubscribed_from_email_marketing",
        "unsubscribed_from_sms_marketing", "opt_in", "opted_in", "opted_out",
        "subscription_change", "list_unsubscribe",
    )
}  # fmt: skip

NOT_VISITS = frozenset(
    _OF_MESSAGES | _OF_TRADE | _OF_CONSENT
    | {event_key(name) for name in PAYMENT_FAILED}
    | {
        event_key(name)
        for name in (
            "refund", "refunded", "remboursement", "proxy_open", "unique_proxy_open",
            "loaded_by_proxy", "out_for_delivery", "fulfilled_partial_order", "merged_profile",
            "application_uninstalled",
        )
    }
)  # fmt: skip
"""Events, as `event_key` writes their names, that are no visit: what became of a message, what shop
or bank did with an order, an invoice or a contract, and what was said of consent. Opening a message
and clicking in it are visits."""


def is_visit(event: str) -> bool:
    """Whether an event of this name is what a customer did on a site, in an app or with a message.

    Examples:
        >>> is_visit("Email Delivered"), is_visit("delivered"), is_visit("Order Refunded")
        (False, False, False)
        >>> is_visit("Email Opened"), is_visit("Product Viewed"), is_visit("Order Completed")
        (True, True, True)
    """
    return event_key(event) not in NOT_VISITS


def is_called(event: ir.StringValue, names: Iterable[str]) -> ir.BooleanValue:
    """Whether an event has one of the names, however it is written (see `event_key`)."""
    keys = sorted({event_key(name) for name in names})
    return event.lower().re_replace(r"[ ._:/-]+", "").isin(keys)


def visits(book: Book) -> ir.Table:
    """The events of a book that customers did themselves: the one table that visits come from.

    Args:
        book: The company's tables, events among them.

    Returns:
        The rows of `events`, without those whose name is in `NOT_VISITS`.
    """
    events = book.table("events")

    def others() -> list[str]:
        # Names are few, rows are many: each name is looked at once.
        names = book.tables["events"].select("event").distinct()
        found = book.rows(names.filter(is_called(names.event, NOT_VISITS)))
        return sorted(row["event"] for row in found)

    left_out = book.once("events that are no visits", others)
    if not left_out:
        return events
    return events.filter(events.event.isnull() | events.event.notin(left_out))


def visit_days(book: Book) -> ir.Table:
    """The days that customers were seen on a site or in an app: `customer_id` and `day`."""
    events = visits(book)
    events = events.filter(events.customer_id.notnull())
    return events.select("customer_id", day=book.day_of(events.occurred_at)).distinct()
