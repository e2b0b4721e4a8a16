"""Every family of metrics; importing this module declares them all."""

from revoir.metrics import (
    engagement,
    lifecycle,
    purchase,
    retention,
    satisfaction,
    service,
    subscriptions,
    value,
)

FAMILIES = (
    retention,
    purchase,
    value,
    lifecycle,
    subscriptions,
    satisfaction,
    service,
    engagement,
)
