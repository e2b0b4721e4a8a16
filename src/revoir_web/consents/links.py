"""The signed link by which a customer reaches their own preferences."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from revoir_web.customers.models import Customer


def _signer() -> Signer:
    return Signer(salt="revoir.preferences")


def preferences_path(customer: Customer) -> str:
    """The path of a customer's preferences; it works for as long as the customer is there.

    A link in an old message must still stop messages, so it does not expire.
    """
    return reverse("consents:preferences", args=[_signer().sign(customer.pk)])


def preferences_url(customer: Customer) -> str:
    """The whole address of a customer's preferences."""
    return f"{settings.BASE_URL.rstrip('/')}{preferences_path(customer)}"


def customer_of(signed: str) -> Customer | None:
    """Whose link it is; None when it is none of ours, or the person was erased."""
    try:
        id = _signer().unsign(signed)
    except BadSignature:
        return None
    customer = Customer.objects.filter(pk=id).first()
    if customer is not None and customer.merged_into_id:
        customer = Customer.objects.filter(pk=customer.merged_into_id).first()
    return None if customer is None or customer.erased_at else customer
