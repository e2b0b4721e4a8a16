"""Figures as files; the questions are those of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from revoir_web.common import exports
from revoir_web.common.rights import Right
from revoir_web.insights import files, queries, runs

_FIGURES = (
    "period_start",
    "period_end",
    "complete",
    "value",
    "low",
    "high",
    "numerator",
    "denominator",
)


SHEET_ROWS = 1_048_575
"""As many rows as a sheet of Excel has, below its heading."""


@exports.register("metric", Right.SEE_DASHBOARD)
def metric_file(request: HttpRequest) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """The figures of a metric's page, as numbers."""
    asked = runs.look("metric", queries.metric_question(request.GET.get("name", ""), request.GET))
    if asked.result is None:
        raise Http404
    records = asked.result["records"]
    plain = {*_FIGURES, "metric", "parts", "reason", "note"}
    groups = list(dict.fromkeys(name for row in records for name in row if name not in plain))
    parts = list(dict.fromkeys(name for row in records for name in row.get("parts", {})))
    heads = ["metric", *groups, *_FIGURES, *parts, "reason"]
    rows = (
        [
            row["metric"],
            *(row.get(name) for name in (*groups, *_FIGURES)),
            *(row.get("parts", {}).get(name) for name in parts),
            row.get("reason"),
        ]
        for row in records
    )
    return heads, rows


@exports.register("cohorts", Right.SEE_DASHBOARD)
def cohorts_file(request: HttpRequest) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """A cohort grid, one row a cell."""
    asked = runs.look("cohorts", queries.cohort_question(request.GET))
    if asked.result is None:
        raise Http404
    heads = ["cohort_start", "size", "age", "complete", "value", "numerator", "denominator"]
    return heads, asked.data["cells"]


@exports.register("segment-customers", Right.SEE_CUSTOMERS)
def segment_file(request: HttpRequest) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """The customers of a segment; who may not know them gets their numbers alone."""
    from revoir_web.common.rights import may
    from revoir_web.insights.models import SavedSegment

    held = SavedSegment.objects.filter(
        pk=queries.number_of(request.GET.get("segment")), removed_at=None
    ).first()
    asked = runs.look("members", {"rule": held.rule, "all": True}) if held else None
    if asked is None or asked.result is None:
        raise Http404
    found = asked.data["rows"]
    named = may(request.user, Right.SEE_PERSONAL)
    people = queries.people_of([row["id"] for row in found]) if named else {}
    heads = ["customer_id", _("Last purchase"), _("Purchase days"), _("Bought in all")]
    if named:
        heads += [_("Name"), _("E-mail address")]

    def rows() -> Iterable[Sequence[Any]]:
        for row in found:
            line = [row["id"], row["last"], row["days"], row["amount"]]
            yield [*line, *people.get(row["id"], ("", ""))] if named else line

    return heads, rows()


@exports.register("rows", Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS)
def rows_file(request: HttpRequest) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """All rows behind a figure; who may not know the customers gets their numbers alone."""
    import pyarrow.parquet as pq

    from revoir_web.common.rights import may

    asked = runs.look("rows-file", queries.rows_question(request.GET.get("name", ""), request.GET))
    path = files.rows_of(asked.data["file"]) if asked.result is not None else None
    too_long = asked.data.get("total", 0) > SHEET_ROWS and request.path.endswith(".xlsx")
    if path is None or not path.is_file() or too_long:
        raise Http404
    names = asked.data["names"]
    place = names.index("customer_id") if "customer_id" in names else 0
    named = "customer_id" in names and may(request.user, Right.SEE_PERSONAL)
    heads = [*asked.result["columns"], *([_("Name"), _("E-mail address")] if named else [])]

    def rows() -> Iterable[Sequence[Any]]:
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=5000):
                lines = list(zip(*(column.to_pylist() for column in part.columns), strict=True))
                if not named:
                    yield from lines
                    continue
                people = queries.people_of([line[place] for line in lines if line[place]])
                for line in lines:
                    yield [*line, *people.get(line[place], ("", ""))]

    return heads, rows()
