"""Who goes through names: a line in the audit trail, whichever page lists them."""

from __future__ import annotations

from django.core.cache import caches
from django.http import HttpRequest

from revoir_web.common import audit
from revoir_web.common.rights import Right, may

SECONDS = 60
"""At most one line in so long for one person and page: paging through a list is one look."""


def note(request: HttpRequest) -> None:
    """Put on the trail that somebody looks at names of customers, where they may see them.

    Args:
        request: Who asks, for which page.
    """
    if not may(request.user, Right.SEE_PERSONAL):
        return
    match = request.resolver_match
    page = match.view_name if match is not None else request.path
    if caches["process"].add(f"customers.seen:{request.user.pk}:{page}", True, SECONDS):
        audit.record("customers.list", details={"page": page, "filters": sorted(request.GET)})
