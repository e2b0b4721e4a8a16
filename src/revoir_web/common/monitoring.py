"""Whether the application lives, is ready, and how it does."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from revoir_web.common.rights import public

REGISTRY = CollectorRegistry()
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_requests = Counter(
    "revoir_requests", "Requests answered", ["method", "route", "status"], registry=REGISTRY
)
_seconds = Histogram(
    "revoir_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1, 2, 5, 10),
    registry=REGISTRY,
)


class _Jobs:
    """The state of the queue, read when asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count jobs by state, and how long the oldest has waited."""
        from django.db.models import Count, Min
        from django.utils import timezone

        from revoir_web.common.models import Job

        family = GaugeMetricFamily("revoir_jobs", "Jobs by state", labels=["state"])
        for state, count in Job.objects.order_by().values_list("state").annotate(count=Count("pk")):
            family.add_metric([state], count)
        yield family
        now = timezone.now()
        oldest = Job.objects.filter(state=Job.State.WAITING, not_before__lte=now).aggregate(
            first=Min("not_before")
        )["first"]
        yield GaugeMetricFamily(
            "revoir_jobs_oldest_waiting_seconds",
            "How long the first job in the queue has waited",
            value=(now - oldest).total_seconds() if oldest else 0,
        )

    def describe(self) -> list[Any]:
        """Nothing is read when the registry is built."""
        return []


@functools.cache
def _with_jobs() -> CollectorRegistry:
    REGISTRY.register(_Jobs())
    return REGISTRY


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Add a request to the counts."""
    if method not in METHODS:  # each word would be counted, and kept, for itself
        method = "other"
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(route).observe(seconds)


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@public
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and is of this version."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    if pending:
        return JsonResponse({"database": "to be migrated"}, status=503)
    return JsonResponse({"database": "ready"})


@public
def prometheus(request: HttpRequest) -> HttpResponse:
    """Counts and times of this process, for a monitor on this machine or its network."""
    return HttpResponse(
        generate_latest(_with_jobs()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )
