"""Dates whose day and month stand in the other order than in the rest of their column."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revoir.reading import quarantine, read_tables

from .conftest import Read, told

_DAYS = [dt.date(2024, 1, 13) + dt.timedelta(days=n) for n in range(60)]
_FORMS = {True: "%d/%m/%Y", False: "%m/%d/%Y"}


def _file(cells: list[str]) -> str:
    rows = "".join(f"{n},C{n},{cell},10\n" for n, cell in enumerate(cells))
    return f"order_id,client,date,montant\n{rows}"


def _block(first: int, last: int, *, day_first: bool = True) -> str:
    """The days, those of one stretch in the other order."""
    return _file(
        [day.strftime(_FORMS[day_first != (first <= n < last)]) for n, day in enumerate(_DAYS)]
    )


@pytest.mark.parametrize("day_first", [True, False])
def test_a_block_in_the_other_order_is_never_read_in_the_wrong_one(
    read: Read, rows, tmp_path: Path, day_first: bool
) -> None:
    # 24 January to 17 February: all of the first twelve days of February could be either.
    reading = read(_block(11, 36, day_first=day_first))
    for row in rows(reading, "orders"):
        assert row["ordered_on"] == _DAYS[int(row["order_id"])]
    (file,) = reading.files
    # 2 February is the same in both orders only as 02/02.
    assert file.rows_quarantined == 25 - 1
    assert "lines 13 to 37: 13 dates have the" in told(reading)
    assert "and 11 between them could be either" in told(reading)
    reasons = {row.reason.text("en") for row in file.quarantine}
    here, rest = ("month", "day") if day_first else ("day", "month")
    assert f"Here the {here} stands first, and the column is read with the {rest} first." in reasons
    either = next(row for row in file.quarantine if row.line == 21)
    assert either.reason.text("en").startswith("This may be 2024-02-01 or 2024-01-02")
    # The rows in quarantine have one order only, and can be read as they are.
    path = tmp_path / "bad.csv"
    quarantine.write(reading.files, path)
    again = read_tables(path)
    assert again.files[0].rows_accepted == 24
    for row in rows(again, "orders"):
        assert row["ordered_on"] == _DAYS[int(row["order_id"])]


def test_dates_before_and_after_a_block_are_said(read: Read) -> None:
    text = told(read(_file(["13/01/2024", "02/03/2024", "10/17/2024", "03/04/2024", "14/01/2024"])))
    assert "line 4: a date has the month first (“10/17/2024”); it was not read" in text
    assert "lines 3 to 5: beside them, 2 dates could be either" in text


def test_dates_mixed_all_over_the_file_are_said_once(read: Read) -> None:
    cells = ["13/01/2024", "10/17/2024", "14/01/2024"] * 201
    reading = read(_file([*cells, "02/03/2024"]))
    assert "the two orders change more than 200 times" in told(reading)
    assert reading.files[0].rows_quarantined == 201
    cells = ["13/01/2024", "10/17/2024", "14/01/2024"] * 7
    assert "there are 2 more such places" in told(read(_file(cells)))


def test_a_day_that_neither_order_has_keeps_its_reason(read: Read) -> None:
    reading = read(_file(["13/01/2024", "10/17/2024", "31/02/2024", "14/14/2024"]))
    reasons = [row.reason.text("en") for row in reading.files[0].quarantine]
    assert [reason == "There is no such day." for reason in reasons] == [False, True, True]


def test_what_the_user_says_of_the_order_settles_it(tmp_path: Path) -> None:
    from revoir.reading.mapping import FileMapping, Mapping, Said

    path = tmp_path / "ventes.csv"
    path.write_text(_block(11, 36))
    said = Mapping((FileMapping({"date": Said("ordered_at", "day_first")}),))
    reading = read_tables(path, mapping=said)
    assert "could be either" not in told(reading)
    assert reading.files[0].rows_quarantined == 13


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_no_date_between_two_that_tell_is_read_in_another_order(tmp_path_factory, orders) -> None:
    """However the orders change, a date that is read in the wrong one is one that was said."""
    path = tmp_path_factory.mktemp("mixed") / "ventes.csv"
    pairs = list(zip(_DAYS, orders, strict=False))
    path.write_text(_file([day.strftime(_FORMS[first]) for day, first in pairs]))
    reading = read_tables(path)
    found = {
        int(r["order_id"]): r["ordered_on"]
        for r in reading.tables["orders"].to_pyarrow().to_pylist()
    }
    wrong = [n for n, day in found.items() if day != _DAYS[n]]
    file = reading.files[0]
    assert file.rows_accepted + file.rows_quarantined == len(pairs)
    text = told(reading)
    telling = [n for n, (day, _) in enumerate(pairs) if day.day > 12]
    for n in wrong:
        near = [*[m for m in telling if m < n][-1:], *[m for m in telling if m > n][:1]]
        if {pairs[m][1] for m in near} == {not pairs[n][1]}:
            continue  # 01/02 between dates that all have the other order: nothing can tell
        assert "could be either" in text or "no date tells day from month" in text, (n, text)
