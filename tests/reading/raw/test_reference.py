"""The real files come in whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.reference


@pytest.mark.parametrize(
    ("name", "rows", "first_header", "last_line"),
    [
        ("cdnow/CDNOW_master.txt", 69_659, "customer_id", 69_660),
        ("cdnow/CDNOW_sample.txt", 6_919, "", 6_919),
        ("online_retail/online_retail.parquet", 541_909, "InvoiceNo", 541_909),
        ("telco/Telco-Customer-Churn.csv", 7_043, "customerID", 7_044),
        ("superstore/superstore.csv", 9_994, "Row ID", 9_995),
        ("jardinerie_nps/nps.csv", 6_939, "", 6_940),
        ("completejourney/transactions_sample.csv.gz", 75_000, "household_id", 75_001),
        ("clickstream_ecom/ecom.csv.gz", 31_106, "user_id", 31_107),
        ("nhs_feedback/feedback.csv", 7_908, "Comment ID", 8_681),
    ],
)
def test_rows_of_real_files(
    read: Callable, reference_data: Path, name: str, rows: int, first_header: str, last_line: int
) -> None:
    [seen] = read(reference_data / name)
    assert seen.table.rejects == []
    assert len(seen.cells) == seen.table.rows_in == rows
    assert seen.headers[0] == first_header
    assert seen.lines[-1] == last_line


def test_jardinerie_in_its_own_encoding(read: Callable, reference_data: Path) -> None:
    [seen] = read(reference_data / "jardinerie_nps/nps.csv")
    assert seen.table.formats["encoding"] == "windows-1252+cp850"
    text = " ".join(row[5] for row in seen.cells if row[5])
    for word in ("très", "délai", "apprécié", "goût", "grâce", "connaître", "été", "à", "Noël"):
        assert word in text
    assert "‚" not in text
    assert "\ufffd" not in text
    scores = [int(row[2]) for row in seen.cells if row[2] != "NA"]
    assert len(scores) == 6_782
    nps = 100 * (sum(s >= 9 for s in scores) - sum(s <= 6 for s in scores)) / len(scores)
    assert round(nps, 2) == 53.61


def test_a_folder_of_real_files(read: Callable, reference_data: Path) -> None:
    seen = read(reference_data / "cdnow")
    assert [one.table.file for one in seen] == ["CDNOW_master.txt", "CDNOW_sample.txt"]
    assert "LICENSE.txt was left out" in seen[0].notes
