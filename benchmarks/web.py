"""The pages of customers over a million of them: list, search as you type, 360° page.

``python -m benchmarks.web [COUNT]`` makes a database of its own (SQLite in a temporary folder, or
what REVOIR_DATABASE_URL names), fills it in bulk and asks for pages through Django's test client:
the time of the application, without the network. Figures are milliseconds.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 60
FIRST = [
    "Marie",
    "Jean",
    "Camille",
    "Zoé",
    "Ahmed",
    "Léa",
    "Hugo",
    "Inès",
    "Lucas",
    "Emma",
    "Louis",
]
STEMS = ["Mar", "Dup", "Ber", "Lef", "Mor", "Rou", "Gar", "Fou", "Gir", "Bon", "Lam", "Fai", "Rey"]
MIDDLES = ["ti", "o", "na", "ev", "eau", "se", "lie", "ne", "ar", "i", "be", "ry", "ue", "pe", "ri"]
ENDS = ["n", "nt", "rd", "vre", "l", "r", "t", "d", "c", "lle", "nne", "ssier", "mont", "x"]
SEGMENTS = ["champions", "loyal", "promising", "at_risk", "lost"]


def main(count: int) -> dict[str, Any]:
    """Fill a database and measure; prints and returns the figures."""
    folder = tempfile.mkdtemp(prefix="revoir-web-")
    os.environ.setdefault("REVOIR_DATA", folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "revoir_web.settings")
    os.environ.setdefault("REVOIR_EMAIL_URL", "memory:")
    import django

    django.setup()
    import logging

    from django.conf import settings
    from django.core.management import call_command

    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS.append("testserver")
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    figures = {"customers": count, **fill(count), **measure()}
    print(json.dumps(figures, indent=1))
    return figures


def fill(count: int) -> dict[str, float]:
    """Make customers, their words and figures."""
    import pyarrow as pa

    from revoir_web.customers import actions
    from revoir_web.customers.models import Customer

    if Customer.objects.exists():
        return {}
    draw = random.Random(20260101)
    last = [a + b + c for a in STEMS for b in MIDDLES for c in ENDS]
    given = [draw.choice(FIRST) for _ in range(count)]
    family = [draw.choice(last) for _ in range(count)]
    table = pa.table(
        {
            "customer_id": [f"C{n * 7919 % count:07d}" for n in range(count)],
            "first_name": given,
            "last_name": family,
            "email": [
                f"{a}.{b}{n}@example.com"
                for n, (a, b) in enumerate(zip(given, family, strict=True))
            ],
            "phone": [f"06{n:08d}" for n in range(count)],
            "city": ["Paris" if draw.random() < 0.1 else f"Ville{n % 500}" for n in range(count)],
            "postcode": [f"{n % 95 + 1:02d}000" for n in range(count)],
        }
    )
    times = {}

    def timed(name: str, do: Callable[[], Any]) -> Any:
        begun, cpu = time.perf_counter(), time.process_time()
        made = do()
        times[f"{name}_s"] = round(time.perf_counter() - begun, 1)
        times[f"{name}_cpu_s"] = round(time.process_time() - cpu, 1)
        return made

    ids = timed("resolve_new", lambda: actions.resolve_many(table, source="benchmark"))
    references = table.select(["customer_id"])
    again = timed(
        "resolve_references", lambda: actions.resolve_many(references, source="benchmark")
    )
    assert again == ids
    timed("index", actions.index_waiting)
    today = dt.date(2026, 1, 1)
    orders = [int(draw.paretovariate(1.2)) for _ in range(count)]
    days = [int(draw.expovariate(1 / 300)) for _ in range(count)]
    rows = pa.table(
        {
            "customer_id": ids,
            "orders": orders,
            "revenue": [round(n * draw.uniform(10, 90), 2) for n in orders],
            "first_on": [today - dt.timedelta(days=n + 30) for n in days],
            "last_on": [today - dt.timedelta(days=n) for n in days],
            "gap_days": [30.0] * count,
            "segment": [draw.choice(SEGMENTS) for _ in range(count)],
            "status": ["active" if n < 200 else "late" if n < 400 else "lost" for n in days],
        }
    )
    timed("figures", lambda: actions.write_figures(rows))
    return times


def measure() -> dict[str, dict[str, float]]:
    """Ask for pages, each with other words, filters and persons every time."""
    from django.test import Client

    from revoir_web.accounts.models import User
    from revoir_web.customers.models import Customer

    draw = random.Random(7)
    user = User.objects.filter(email="bench@example.com").first() or User.objects.create_user(
        "bench@example.com", "x" * 20, name="Bench", role="manager"
    )
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    some = list(Customer.objects.values_list("pk", "first_name", "last_name", "email")[:20_000:7])
    sorts = ["-revenue", "revenue", "-orders", "name", "-last_on", "last_on", "-first_on", "-name"]

    def word() -> str:
        _id, first, last, email = draw.choice(some)
        text = draw.choice((last, first, f"{first} {last}", email, f"C{draw.randrange(10**6):07d}"))
        return text[: draw.randint(1, len(text))]

    def filters() -> dict[str, str]:
        return draw.choice(
            (
                {"segment": draw.choice(SEGMENTS)},
                {"status": "late"},
                {"city": "Paris"},
                {"orders": "5"},
                {"revenue": "500"},
                {"since": "2025-10-01"},
                {"segment": "loyal", "status": "lost"},
                {"segment": "at_risk", "revenue": "200", "city": "Paris"},
            )
        )

    asks: dict[str, Callable[[], tuple[str, dict[str, str]]]] = {
        "list_sorted": lambda: (
            "/customers/",
            {"sort": draw.choice(sorts), "page": str(draw.randint(1, 40))},
        ),
        "list_deep_page": lambda: (
            "/customers/",
            {"sort": draw.choice(sorts), "page": str(draw.randint(1, 19_000))},
        ),
        "list_filtered_sorted": lambda: ("/customers/", {**filters(), "sort": draw.choice(sorts)}),
        "search_as_you_type": lambda: ("/customers/", {"q": word()}),
        "page_360": lambda: (f"/customers/{draw.choice(some)[0]}/", {}),
        "api_list": lambda: ("/api/customers", {"sort": "-revenue", **{"segment": "loyal"}}),
    }
    found = {}
    for name, ask in asks.items():
        times = []
        for _ in range(ROUNDS):
            path, query = ask()
            begun = time.perf_counter()
            answer = client.get(path, query)
            times.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 200, (path, query)
        times.sort()
        found[name] = {
            "p50_ms": round(statistics.median(times), 1),
            "p95_ms": round(times[int(ROUNDS * 0.95) - 1], 1),
            "max_ms": round(times[-1], 1),
        }
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
