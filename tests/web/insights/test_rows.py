"""The rows behind a figure, as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from revoir.reports.wording import COLUMN_NAMES
from revoir.tables import TABLES
from revoir_web.common import jobs
from revoir_web.insights import behind

pytestmark = pytest.mark.django_db
FACTS = ("orders", "order_lines", "subscriptions", "responses", "interactions", "events")


@pytest.mark.parametrize("table", FACTS)
def test_every_column_has_a_name_in_words(table: str) -> None:
    """“Discount”, “Status” and “Store” stood above French pages: the names of the columns."""
    names = {column.name for column in TABLES[table].columns} - {"comment", "text"}
    assert names <= {*behind._COLUMNS, *COLUMN_NAMES}


def test_rows_are_written_as_people_write(filled: Path, as_role: Callable[[str], Client]) -> None:
    """“Du 2025-06-01 au 2025-07-01” stood above columns with 121,9 and 53,64, and “Day month”."""
    address = (
        "/metrics/revenue_per_customer/rows/?from=2025-06-01&to=2025-07-01&by.channel=boutique"
    )
    client = as_role("manager")
    client.get(address)
    jobs.run_waiting()
    page = client.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "Du 01/06/2025 au 01/07/2025" in page
    assert "Canal : boutique" in page
    headings = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', page)
    assert headings
    assert not [name for name in headings if "month" in name or "period" in name]
    rows = re.findall(r"<tr>(<td.*?)</tr>", page, re.DOTALL)
    assert len(rows) > 3
    for cells in zip(*(re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows), strict=True):
        decimals = {len(cell.partition(",")[2]) for cell in cells if re.match(r"^[\d,]+$", cell)}
        assert len(decimals) <= 1, cells[:5]


def test_what_is_not_known_stands_where_its_figures_do(
    filled: Path, as_role: Callable[[str], Client]
) -> None:
    """A dash stood at the left of a column of figures, and its heading too."""
    client = as_role("manager")
    client.get("/metrics/nps/rows/")
    jobs.run_waiting()
    page = client.get("/metrics/nps/rows/").content.decode()
    assert '<th scope="col" class="figure">Ton</th>' in page
    assert '<td class="figure">—</td>' in page
    assert "<td>—</td>" not in page
