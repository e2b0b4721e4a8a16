"""Why a product is recommended, in words; whoever shows it needs no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revoir.language import Message, msg, nmsg


def why(row: Mapping[str, Any]) -> Message:
    """Why a product is recommended, from a row of `Recommendations.products`."""
    if row["days_before"]:
        return nmsg(
            "bought it on {n} day before", "bought it on {n} days before", row["days_before"]
        )
    if row["because_2"]:
        return msg(
            "because they bought “{first}” and “{second}”",
            first=row["because_1"],
            second=row["because_2"],
        )
    if row["because_1"]:
        return msg("because they bought “{first}”", first=row["because_1"])
    return msg("sells best now")
