"""Lists and exports: sorted, narrowed, masked, harmless, on record."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.test import Client

from revoir_web.common import exports, tables
from revoir_web.common.exports import harmless
from revoir_web.common.models import AuditEntry
from revoir_web.testing.calls import text_of

pytestmark = pytest.mark.django_db

HOSTILE = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1", "\xa0=1", "\n+1"]


@pytest.fixture
def entries(company: Any) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(action=f"a.{number:03}", actor_name="Ana", details={"n": number})
        for number in range(120)
    )


def rows(answer: Any) -> list[list[str]]:
    text = text_of(answer)
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")


def test_what_is_no_formula_stays_as_it_is() -> None:
    for value in ("O'Brien", "1-2", "a=b", "", -3, 1.5, None):
        assert harmless(value) == value


def test_a_list_is_paged_sorted_and_narrowed(
    entries: None, as_role: Callable[[str], Client]
) -> None:
    client = as_role("owner")
    table = client.get("/audit/?sort=action&page=2").context["table"]
    assert (table.count, table.pages, table.page, table.first, table.last) == (120, 3, 2, 51, 100)
    assert table.lines[0]["cells"][2].text == "a.050"
    table = client.get("/audit/?action=a.01&sort=-action").context["table"]
    assert [line["cells"][2].text for line in table.lines][:2] == ["a.019", "a.018"]


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=9999999999999",
        "page=²",
        "sort=password",
        "columns=nothing",
        "from=2024-99-99",
    ],
)
def test_nonsense_in_the_address_does_no_harm(
    entries: None, as_role: Callable[[str], Client], query: str
) -> None:
    assert as_role("owner").get(f"/audit/?{query}").status_code == 200


def test_an_export_has_what_the_list_shows_and_is_on_record(
    entries: None, as_role: Callable[[str], Client]
) -> None:
    AuditEntry.objects.create(action="=HYPERLINK(1)", actor_name="@ana")
    client = as_role("owner")
    told = rows(client.get("/exports/audit.csv?sort=action&columns=actor_name,action"))
    assert told[0] == ["Qui", "Action"]
    assert told[1] == ["'@ana", "'=HYPERLINK(1)"]
    assert len(told) == 1 + 121 + 1, "a heading, and the line that this export left itself"
    record = AuditEntry.objects.get(action="export")
    assert (record.object_kind, record.actor_name) == ("audit", "Camille owner")
    assert record.details["filters"] == ["columns", "sort"]
    answer = client.get("/exports/audit.xlsx?columns=actor_name,action&action=a.00")
    content = io.BytesIO(b"".join(answer.streaming_content))
    sheet = openpyxl.load_workbook(content).active
    assert sheet.max_row == 11
    assert sheet["B2"].value.startswith("a.00")


def test_a_sheet_that_cannot_hold_every_row_is_refused(
    entries: None, as_role: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of more rows than a sheet has lost the last of them without a word."""
    monkeypatch.setattr(tables, "SHEET_ROWS", 119)
    client = as_role("owner")
    refused = client.get("/exports/audit.xlsx")
    assert refused.status_code == 409
    assert "CSV" in refused.content.decode()
    assert not AuditEntry.objects.filter(action="export").exists()
    page = client.get("/audit/").content.decode()
    assert "/exports/audit.csv" in page
    assert "/exports/audit.xlsx" not in page
    held = client.get("/exports/audit.xlsx?action=a.00")
    assert b"".join(held.streaming_content)[:2] == b"PK"
    assert len(rows(client.get("/exports/audit.csv"))) > 120


def test_what_the_writer_of_sheets_leaves_out_is_no_sheet(company: Any) -> None:
    """The writer said that a row or the end of a text had no place, and nobody listened."""
    for heads, lines in ((["a"], [["x" * 32_768]]), ([str(n) for n in range(3)], [[1] * 16_385])):
        with pytest.raises(exports.DoesNotFit):
            exports._xlsx(heads, lines, dt.UTC)


def test_moments_of_an_export_are_those_of_the_page(
    company: Any, as_role: Callable[[str], Client]
) -> None:
    """They were in UTC, which nothing said, and a sheet showed their day alone."""
    entry = AuditEntry.objects.create(action="a.moment", actor_name="Ana")
    at = dt.datetime(2026, 7, 1, 22, 30, 5, tzinfo=dt.UTC)
    AuditEntry.objects.filter(pk=entry.pk).update(at=at)
    client = as_role("owner")
    told = rows(client.get("/exports/audit.csv?columns=at&action=a.moment"))
    assert told[1] == ["2026-07-02 00:30:05"]
    answer = client.get("/exports/audit.xlsx?columns=at&action=a.moment")
    cell = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active["A2"]
    assert cell.value == dt.datetime(2026, 7, 2, 0, 30, 5)
    assert cell.number_format.endswith("hh:mm:ss")


def test_a_workbook_is_made_on_the_disk_of_the_data(
    entries: None, as_role: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container whose /tmp is in memory, an export took its size of it."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    answer = as_role("owner").get("/exports/audit.xlsx?action=a.00")
    content = io.BytesIO(b"".join(answer.streaming_content))
    assert openpyxl.load_workbook(content).active.max_row == 11


def test_an_export_wants_its_own_rights(as_role: Callable[[str], Client]) -> None:
    # An analyst may export, and may not see the audit trail.
    assert as_role("analyst").get("/exports/audit.csv").status_code == 403
    assert as_role("advisor").get("/exports/audit.csv").status_code == 403
    assert as_role("owner").get("/exports/nothing.csv").status_code == 404
    assert as_role("owner").get("/exports/audit.pdf").status_code == 404
