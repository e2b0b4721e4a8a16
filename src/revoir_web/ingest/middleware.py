"""The road of events: they need no session, no language and no page, and come by the thousand."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from revoir_web.common import monitoring
from revoir_web.ingest import intake

PREFIX = "/v1/"


class Events:
    """Answers calls of the events' API before anything else looks at them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and count it."""
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        begun = time.perf_counter()
        call = request.path.removeprefix(PREFIX).rstrip("/")
        response = intake.answer(request, call)
        seconds = time.perf_counter() - begun
        route = f"v1/{intake.CALLS.get(call, 'unknown')}"
        monitoring.count_request(request.method or "", route, response.status_code, seconds)
        return response
