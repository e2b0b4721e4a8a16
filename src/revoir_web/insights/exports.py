"""Figures and reports as files; the questions are those of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse, Http404, HttpRequest
from django.utils.translation import gettext as _

from revoir_web.common import audit, exports
from revoir_web.common.models import Job
from revoir_web.common.rights import Right, may
from revoir_web.insights import files, queries, runs
from revoir_web.insights.models import SavedSegment

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
    """The customers of a segment or a rule; who may not know them gets their numbers alone."""
    held = SavedSegment.objects.filter(
        pk=queries.number_of(request.GET.get("segment")), removed_at=None
    ).first()
    rule = held.rule if held else queries.rule_of(request.GET)
    if rule is None:
        raise Http404
    asked = runs.look("members-file", {"rule": rule})
    heads = ["customer_id", _("Last purchase"), _("Purchase days"), _("Bought in all")]
    return _of_file(request, asked, heads, customer=0)


@exports.register("rows", Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS)
def rows_file(request: HttpRequest) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """All rows behind a figure; who may not know the customers gets their numbers alone."""
    asked = runs.look("rows-file", queries.rows_question(request.GET.get("name", ""), request.GET))
    if asked.result is None:
        raise Http404
    names = asked.data["names"]
    place = names.index("customer_id") if "customer_id" in names else None
    return _of_file(request, asked, asked.result["columns"], customer=place)


def _of_file(
    request: HttpRequest, asked: runs.Asked, heads: Sequence[str], *, customer: int | None
) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """The rows of a file that the worker made, part by part; names for those who may know them.

    Args:
        request: Who asks, and in which form.
        asked: The answer that is a file.
        heads: What stands above its columns.
        customer: The place of the column of customers (None: there is none).
    """
    import pyarrow.parquet as pq

    path = files.rows_of(asked.data["file"]) if asked.result is not None else None
    if path is None or not path.is_file():
        raise Http404
    exports.check_fits(request, asked.data["total"])
    if customer is None or not may(request.user, Right.SEE_PERSONAL):
        place, heads = None, list(heads)
    else:
        place, heads = customer, [*heads, _("Name"), _("E-mail address")]

    def rows() -> Iterable[Sequence[Any]]:
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=5000):
                lines = list(zip(*(column.to_pylist() for column in part.columns), strict=True))
                if place is None:
                    yield from lines
                    continue
                people = queries.people_of([line[place] for line in lines if line[place]])
                for line in lines:
                    yield [*line, *people.get(line[place], ("", ""))]

    return heads, rows()


def report_file(job: Job) -> FileResponse:
    """A report that was made, as a file; the trail tells who took it.

    Args:
        job: What made it.

    Raises:
        Http404: It is not made yet, or not kept any more.
    """
    form = job.arguments["form"]
    try:
        file = files.path_of(job.pk.hex, form).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    audit.record("report.download", object=job, details={"form": form})
    return FileResponse(
        file,
        as_attachment=True,
        filename=_("retention-report") + f".{form}",
        content_type=files.KINDS[form],
    )
