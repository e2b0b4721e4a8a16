"""An installation filled with an invented shop, to walk through every page."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from revoir.cli.common import T, language, say
from revoir.language import Message, msg

SEED = 1
CUSTOMERS = 4_500
END = dt.date(2026, 7, 1)
"""The day after the last of the shop's data."""
PASSWORD = "une visite de la boutique"  # noqa: S105 (of an invented shop, printed for all to read)
PEOPLE = {
    "owner": ("owner@example.com", "Camille Martin"),
    "manager": ("manager@example.com", "Dominique Leroy"),
    "advisor": ("advisor@example.com", "Sacha Bernard"),
    "analyst": ("analyst@example.com", "Noa Petit"),
}
SEGMENTS = (
    (
        msg("Regulars who are late"),
        "orders >= 3 and days_since_last > 90",
        msg("A call or a word before they have gone"),
    ),
    (
        msg("One purchase, then silence"),
        "orders = 1 and days_since_last between 30 and 180",
        msg("A second purchase to propose"),
    ),
    (
        msg("Best customers of the year"),
        "revenue.last_365_days > 300",
        msg("Thanks, and news before everybody"),
    ),
)
DIGEST = ("retention_rate", "customers_active", "customers_lost", "revenue", "nps")


def fill() -> None:
    """Bring the shop in through the same doors as any other, unless somebody is there already."""
    from revoir_web.accounts.models import User
    from revoir_web.cli.serve import prepare

    prepare()
    if User.objects.exists():
        return
    folder = _files()
    people = _people()
    # Before the data: figures and predictions are then computed once.
    _plans(people)
    say(T("Bringing the shop in…"))
    _import(sorted(folder.iterdir()), people["owner"])
    say(T("Computing the figures…"))
    _finish()
    _ask()
    _finish()


def tell(port: int) -> None:
    """Print the address, and who can sign in."""
    address = f"http://127.0.0.1:{port}/"
    lines: list[Message] = [
        msg("The invented shop is open at {address}", address=address),
        msg("Sign in with the password “{password}” as:", password=PASSWORD),
    ]
    for line in lines:
        print(line.text(language()))
    for email, name in PEOPLE.values():
        print(f"  {email}  ({name})")


def _files() -> Path:
    from django.conf import settings

    from revoir.datasets.shop import shop

    folder = Path(settings.DATA) / "demo-files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shop(SEED, customers=CUSTOMERS, end=END).write(folder, language())
    return folder


def _people() -> dict[str, Any]:
    from revoir.datasets.shop import TITLE
    from revoir_web.accounts import actions
    from revoir_web.accounts.rights import Role
    from revoir_web.common.models import Company

    Company.objects.update_or_create(
        pk=Company.SINGLE,
        defaults={
            "name": TITLE,
            "language": language(),
            "currency": "EUR",
            "sector": "retail",
            "acquisition_cost": 18,
        },
    )
    return {
        role: actions.create_user(
            email=email, name=name, role=Role(role), password=PASSWORD, language=language()
        )
        for role, (email, name) in PEOPLE.items()
    }


def _import(files: Iterable[Path], owner: Any) -> None:
    from revoir_web.ingest import actions

    held = actions.begin(by=owner)
    for file in files:
        actions.add_file(held=held, name=file.name, content=file)
    actions.read(held=held, by=owner)
    _finish()
    held.refresh_from_db()
    actions.confirm(held=held, by=owner)


def _finish() -> None:
    from revoir_web.common import jobs

    jobs.run_waiting()


def _plans(people: dict[str, Any]) -> None:
    """Goals, segments and a digest, as somebody would set them up."""
    from revoir_web.insights import actions

    owner, code = people["owner"], language()
    for name, rule, description in SEGMENTS:
        actions.save_segment(
            name=name.text(code), rule=rule, description=description.text(code), by=owner
        )
    actions.make_digest(
        name=msg("Monday's figures").text(code),
        metrics=DIGEST,
        every="week",
        at=dt.time(8),
        recipients=[people["owner"], people["manager"]],
        by=owner,
    )
    year = (END - dt.timedelta(days=1)).year
    actions.set_goal(
        metric="retention_rate",
        value=0.75,
        start=dt.date(year, 1, 1),
        end=dt.date(year + 1, 1, 1),
        note=msg("Plan of the year").text(code),
        by=owner,
    )
    actions.set_goal(metric="nps", value=50, by=owner)


def _ask() -> None:
    """Ask what somebody would look at next, so that no page begins with a computation."""
    from revoir_web.insights import runs

    for _name, rule, _description in SEGMENTS:
        for kind in ("segment", "comparison"):
            runs.ask(kind, {"rule": rule})
    runs.ask("departures")
