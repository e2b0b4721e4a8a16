"""What a lake promises: rows land once, are replaced, undone, and read as they stood."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import revoir
from revoir import engines
from revoir.errors import EngineError, InputError, UsageError
from revoir.store import Lake, is_lake, said
from revoir.store.place import MARKER, Place

from .conftest import orders, rows_of


def test_a_batch_lands_once(lake, amounts):
    assert lake.append("orders", orders([1, 2]), batch="a").rows == 2
    again = lake.append("orders", orders([1, 2]), batch="a")
    assert again.already
    assert not again.undone
    assert amounts() == {"1": 10, "2": 10}


def test_an_empty_batch_lands_too(lake, amounts):
    lake.append("orders", orders([1]), batch="a")
    assert not lake.append("orders", orders([]), batch="b").already
    assert lake.append("orders", orders([2]), batch="b").already
    assert amounts() == {"1": 10}


def test_a_stream_lands_like_a_table(lake, amounts):
    rows = orders(range(10))
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(max_chunksize=3))
    assert lake.append("orders", reader, batch="a").rows == 10
    assert len(amounts()) == 10


def test_a_stream_with_a_wrong_value_lands_not_at_all(lake):
    lake.append("orders", orders([1]), batch="a")
    bad = orders([2, 3]).set_column(4, "amount", pa.array(["12", "douze"]))
    reader = pa.RecordBatchReader.from_batches(bad.schema, bad.to_batches(max_chunksize=1))
    with pytest.raises((InputError, UsageError), match="amount"):
        lake.append("orders", reader, batch="b")
    assert len(rows_of(lake, "orders")) == 1
    assert not lake.append("orders", orders([2]), batch="b").already


def test_a_lake_is_empty_until_a_row_lands_and_once_all_are_undone(lake):
    assert lake.is_empty
    lake.append("orders", orders([1, 2]), batch="a")
    lake.append("orders", orders([3]), batch="b")
    lake.undo("a")
    assert not lake.is_empty
    lake.undo("b")
    assert lake.is_empty


def test_undoing_an_upsert_brings_back_what_it_replaced(lake, amounts):
    lake.append("orders", orders([1, 2]), batch="a")
    lake.upsert("orders", orders([2, 3], amount=20), batch="b")
    lake.upsert("orders", orders([3, 4], amount=30), batch="c")
    assert amounts() == {"1": 10, "2": 20, "3": 30, "4": 30}
    assert lake.undo("c") == {"orders": 2}
    assert amounts() == {"1": 10, "2": 20, "3": 20}
    lake.undo("a")
    assert lake.undo("b") == {"orders": 2}
    assert amounts() == {}


def names(*numbers: int) -> pa.ChunkedArray:
    return pa.chunked_array([[str(number) for number in numbers]], pa.string())


@pytest.mark.parametrize("part", [1, 1_000_000])
def test_rows_that_a_later_batch_had_again_stay_with_it(lake, amounts, monkeypatch, part):
    monkeypatch.setattr(said, "PART", part)
    lake.append("orders", orders([1, 2, 3]), batch="a")
    assert lake.say_again("orders", names(2, 3, 9), batch="b").rows == 2
    assert lake.say_again("orders", names(2), batch="b").already
    lake.say_again("orders", names(3), batch="c")
    lake.upsert("orders", orders([2], amount=5), batch="d")
    assert lake.repeated("orders", batch="a") == {"2": "b", "3": "b"}
    assert lake.undo("a") == {"orders": 1}
    assert amounts() == {"2": 5, "3": 10}
    assert lake.undo("d") == {"orders": 1}
    assert amounts() == {"2": 10, "3": 10}
    assert all(one.sound for one in lake.verify())
    assert lake.undo("b") == {"orders": 1}
    assert amounts() == {"3": 10}
    assert lake.undo("c") == {"orders": 1}
    assert amounts() == {}


def test_an_undoing_that_is_killed_leaves_rows_to_who_had_them_again(lake, amounts, monkeypatch):
    from revoir.store import replaced

    lake.append("orders", orders([1, 2]), batch="a")
    lake.say_again("orders", names(1, 2), batch="b")
    lake.upsert("orders", orders([2], amount=5), batch="c")
    with monkeypatch.context() as patched:
        patched.setattr(replaced, "purge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lake.undo("a")
    lake.undo("a")
    lake.undo("c")
    assert amounts() == {"1": 10, "2": 10}


def test_who_said_rows_again_is_remembered_for_the_last_batches(lake, amounts, monkeypatch):
    monkeypatch.setattr(said, "KEPT", 2)
    lake.append("orders", orders([1, 2, 3]), batch="a")
    for number in (1, 2, 3):
        lake.say_again("orders", names(number), batch=f"b{number}")
    assert lake.undo("a") == {"orders": 1}
    assert amounts() == {"2": 10, "3": 10}


EXPORTS = """
import pathlib, resource, sys
import pyarrow as pa
from revoir.store import Lake

names = [f"order-{number}" for number in range(100_000)]
lake = Lake.create(pathlib.Path(sys.argv[1]))
lake.append("orders", pa.table({"order_id": names, "customer_id": names}), batch="first")
for number in range(30):
    batch = f"another-export-of-everything-{number}"
    lake.say_again("orders", pa.chunked_array([names]), batch=batch)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert lake.undo("first") == {}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.heavy
def test_exports_of_everything_are_undone_in_the_memory_of_few(tmp_path):
    """Thirty of a million rows each took a dozen gigabytes, since all were looked at at once."""
    done = subprocess.run(
        [sys.executable, "-c", EXPORTS, str(tmp_path / "lake")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert int(done.stdout) < 500, "MiB"


def test_rows_are_said_again_by_the_key_of_the_table(lake):
    lake.append("orders", orders([1]), batch="a")
    lake.say_again("orders", names(1), batch="b")
    with pytest.raises(UsageError, match="replaced by"):
        lake.upsert("orders", orders([1]), batch="c", keys=["customer_id", "order_id"])
    with pytest.raises(UsageError, match="no table"):
        lake.say_again("events", names(1), batch="d")


def test_who_is_erased_is_not_among_those_who_were_said_again(lake):
    customers = pa.table({"customer_id": ["c1"], "city": ["Tours"]})
    lake.append("customers", customers, batch="a")
    lake.say_again("customers", pa.chunked_array([["c1"]], pa.string()), batch="b")
    lake.erase(["c1"], request="secret")
    kept = lake.place.open("_said/customers").to_pyarrow_table()
    assert kept.column("customer_id").to_pylist() != ["c1"]
    lake.undo("a")
    assert [row["city"] for row in rows_of(lake, "customers")] == ["Tours"]


def test_what_was_undone_never_lands_again(lake, amounts):
    lake.append("orders", orders([1]), batch="a")
    lake.append("customers", pa.table({"customer_id": ["c1"], "city": ["Tours"]}), batch="b")
    assert lake.undo("b") == {"customers": 1}
    # The import was stopped before its orders landed, and is tried again too late.
    assert lake.append("orders", orders([9]), batch="b").undone
    events = pa.table(
        {"customer_id": ["c1"], "event": ["visit"], "occurred_at": [dt.datetime(2024, 1, 1)]}
    )
    assert lake.append("events", events, batch="b").undone  # into a table that was not there
    assert amounts() == {"1": 10}


def test_undoing_a_batch_that_never_was(lake):
    lake.append("orders", orders([1]), batch="a")
    with pytest.raises(UsageError, match="no batch"):
        lake.undo("b")


def test_upsert_keeps_columns_that_the_rows_do_not_carry(lake):
    lake.append("orders", orders([1]), batch="a")
    lake.upsert("orders", orders([1], amount=7).drop(["customer_id"]), batch="b")
    (row,) = rows_of(lake, "orders")
    assert (row["customer_id"], row["amount"]) == ("c1", Decimal("7"))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (orders([1, 1]), "key of another"),
        (orders([None]), "no key"),
        (orders([1]).drop(["order_id"]), "missing"),
    ],
)
def test_rows_without_a_key_of_their_own_are_not_upserted(lake, rows, why):
    with pytest.raises(InputError, match=why):
        lake.upsert("orders", rows, batch="a")


def test_another_key_than_before_is_refused(lake):
    lake.append("orders", orders([1]), batch="a")
    lake.upsert("orders", orders([1]), batch="b")
    with pytest.raises(UsageError, match="order_id"):
        lake.upsert("orders", orders([1]), batch="c", keys=["order_id", "ordered_on"])


def test_upsert_by_several_columns(lake):
    lake.append("orders", orders([1, 2]), batch="a")
    keys = ["customer_id", "ordered_on"]
    lake.upsert("orders", orders([2, 3], amount=5), batch="b", keys=keys)
    assert sorted(row["amount"] for row in rows_of(lake, "orders")) == [5, 5, 10]
    lake.undo("b")
    assert [row["amount"] for row in rows_of(lake, "orders")] == [10, 10]


def test_new_columns_are_added_and_empty_before(lake):
    lake.append("orders", orders([1]), batch="a")
    wider = orders([2]).append_column("till", pa.array([4], pa.int32()))
    lake.append("orders", wider, batch="b")
    lake.append("orders", orders([3]), batch="c")
    assert {row["order_id"]: row["till"] for row in rows_of(lake, "orders")} == {
        "1": None, "2": 4, "3": None,
    }  # fmt: skip
    lake.undo("b")
    assert {row["till"] for row in rows_of(lake, "orders")} == {None}


def test_a_column_keeps_its_type(lake):
    lake.append("orders", orders([1]).append_column("till", pa.array([4])), batch="a")
    words = orders([2]).append_column("till", pa.array(["four"]))
    with pytest.raises(
        UsageError, match=r"“till” of “orders” holds whole numbers .* and texts here"
    ):
        lake.append("orders", words, batch="b")
    with pytest.raises(InputError, match="not all of it"):
        lake.append("orders", orders([2]).append_column("till", pa.array([4.5])), batch="b")
    lake.append("orders", orders([2]).append_column("till", pa.array([5.0])), batch="b")
    assert sorted(row["till"] for row in rows_of(lake, "orders")) == [4, 5]


def test_types_become_canonical(lake):
    moment = pa.array([dt.datetime(2024, 6, 1, 12)], pa.timestamp("ns", "Europe/Paris"))
    rows = pa.table(
        {
            "order_id": pa.array([7]),
            "customer_id": pa.array(["a"]).dictionary_encode(),
            "ordered_at": moment,
            "ordered_on": pa.array([dt.date(2024, 6, 1)], pa.date64()),
            "amount": pa.array([0.1 + 0.2]),
            "note_1": pa.nulls(1),
        }
    )
    lake.append("orders", rows, batch="a")
    (row,) = rows_of(lake, "orders")
    assert row == {
        "order_id": "7",
        "customer_id": "a",
        "ordered_at": moment.cast(pa.timestamp("us", "UTC"))[0].as_py().replace(tzinfo=None),
        "ordered_on": dt.date(2024, 6, 1),
        "amount": Decimal("0.3000"),
    }


def test_persons_stay_out(lake, tmp_path):
    rows = pa.table(
        {
            "customer_id": ["c1"],
            "email": ["ana@exemple.fr"],
            "last_name": ["Zyngier"],
            "portable": ["0612345678"],
            "contact": ["ana@exemple.fr"],
            "city": ["Tours"],
        }
    )
    landed = lake.append("customers", rows, batch="a")
    assert set(landed.left_out) == {"email", "last_name", "portable", "contact"}
    assert rows_of(lake, "customers") == [{"customer_id": "c1", "city": "Tours"}]
    for file in (tmp_path / "lake").rglob("*"):
        if file.is_file():
            assert b"ana@" not in file.read_bytes()
            assert b"Zyngier" not in file.read_bytes()


def test_as_it_stood(lake, amounts):
    lake.append("orders", orders([1]), batch="a")
    first = lake.version
    time.sleep(0.02)
    then = dt.datetime.now(dt.UTC)
    time.sleep(0.02)
    lake.append("orders", orders([2]), batch="b")
    lake.append("customers", pa.table({"customer_id": ["c"], "city": ["Tours"]}), batch="b")
    lake.compact()
    assert amounts(first) == amounts(then) == amounts(then.replace(tzinfo=None)) == {"1": 10}
    assert rows_of(lake, "customers", first) == rows_of(lake, "customers", then) == []
    assert revoir.open(lake.place.url, at=first).has("customers") is False
    for wrong in ("orders:99", "orders", "people:1"):
        with pytest.raises(UsageError):
            amounts(wrong)


def test_a_reader_sees_what_it_opened(lake):
    lake.append("orders", orders([1]), batch="a")
    backend = engines.memory(threads=1)
    table = lake.tables(backend)["orders"]
    lake.append("orders", orders([2]), batch="b")
    lake.undo("a")
    lake.compact()
    lake.vacuum(dt.timedelta(hours=1))
    assert backend.con.execute(backend.compile(table.count())).fetchall() == [(1,)]
    backend.disconnect()


def test_compaction_changes_no_row(lake, amounts, tmp_path):
    for number in range(12):
        lake.append("orders", orders([number]), batch=str(number))
    before = amounts()
    done = lake.compact()["orders"]
    assert (done.files_before, done.files_after) == (12, 1)
    assert amounts() == before
    assert lake.compact() == {}
    assert "orders" in lake.compact(full=True)
    lake.append("orders", orders([99]), batch="99")
    assert "orders" in lake.compact()
    assert lake.append("orders", orders([5]), batch="5").already


def test_vacuum_removes_what_no_version_needs(lake, amounts, tmp_path, monkeypatch):
    from revoir.store import care

    lake.append("orders", orders([1]), batch="a")
    kept, files = lake.version, tmp_path / "lake" / "orders"
    lake.upsert("orders", orders([1], amount=3), batch="b")
    middle = lake.version
    lake.upsert("orders", orders([1], amount=4), batch="c")
    assert lake.vacuum() == 0
    with pytest.raises(UsageError, match="last hour"):
        lake.vacuum(dt.timedelta(minutes=5))
    monkeypatch.setattr(care, "_RETENTION_MIN", dt.timedelta(0))
    count = len(list(files.glob("*.parquet")))
    assert lake.vacuum(dt.timedelta(0), keep=[kept], dry_run=True) >= 1
    assert len(list(files.glob("*.parquet"))) == count
    lake.vacuum(dt.timedelta(0), keep=[kept])
    assert amounts(kept) == {"1": 10}
    with pytest.raises(InputError, match="removed"):
        amounts(middle)
    assert amounts() == {"1": 4}
    lake.undo("c")
    assert amounts() == {"1": 3}


def test_erasing_a_person_changes_no_figure(lake):
    lake.append("orders", orders([1, 2, 3]), batch="a")
    lake.upsert("orders", orders([2], amount=5), batch="b")
    assert lake.erase(["c1", "c2", "nobody"], request="secret") == {"orders": 2}
    rows = rows_of(lake, "orders")
    assert len({row["customer_id"] for row in rows}) == 3
    assert {row["customer_id"] for row in rows} & {"c1", "c2"} == set()
    assert sum(row["amount"] for row in rows) == 25
    new = {row["order_id"]: row["customer_id"] for row in rows}
    lake.undo("b")
    assert {row["order_id"]: row["customer_id"] for row in rows_of(lake, "orders")} == new
    assert lake.erase(["c3"], request="secret", drop=True) == {"orders": 1}
    assert len(rows_of(lake, "orders")) == 2


def test_words_are_mended_in_every_place(lake):
    told = orders([1, 2, 3])
    told = told.append_column("pour", pa.array(["Ana", "Bob", None], pa.string()))
    lake.append("orders", told, batch="a")
    lake.upsert("orders", told.slice(0, 2).set_column(6, "pour", [["Ana L.", "Bob"]]), batch="b")
    assert lake.mend(["c9"], lambda *_: None) == {}
    seen = []

    def mended(customer, column, words):
        seen.append((customer, column, words))
        return None if "Ana" in words else words

    assert lake.mend(["c1", "c3"], mended) == {"orders": 1}
    assert set(seen) == {("c1", "pour", "Ana L."), ("c1", "pour", "Ana")}
    told = {row["order_id"]: row["pour"] for row in rows_of(lake, "orders")}
    assert told == {"1": None, "2": "Bob", "3": None}
    lake.undo("b")
    told = {row["order_id"]: row["pour"] for row in rows_of(lake, "orders")}
    assert told == {"1": None, "2": "Bob", "3": None}
    assert sum(row["amount"] for row in rows_of(lake, "orders")) == 30


def test_history_and_batches(lake):
    lake.append("orders", orders([1, 2]), batch="a")
    lake.upsert("orders", orders([2, 3]), batch="b")
    lake.undo("a")
    done = [(one.action, one.batch, one.rows) for one in lake.history() if one.batch]
    assert done == [("undo", "a", 1), ("upsert", "b", 2), ("append", "a", 2)]
    assert [(one.batch, one.rows) for one in lake.batches()] == [("b", {"orders": 2})]
    assert len(lake.history(limit=1)) == 1


def test_verify_finds_what_is_wrong(lake, tmp_path):
    lake.append("orders", orders([1, 2]), batch="a")
    assert [one.sound for one in lake.verify()] == [True]
    write_deltalake(
        str(tmp_path / "lake" / "orders"),
        orders([2]).append_column("batch_id", pa.array(["smuggled"])),
        mode="append",
    )
    told = " ".join(str(one.text) for one in lake.verify() if not one.sound)
    assert "never landed" in told
    assert "order_id of another" in told
    next((tmp_path / "lake" / "orders").glob("*.parquet")).unlink()
    assert [str(one.text) for one in lake.verify()] == ["1 file is missing."]


def test_a_damaged_file_is_found(lake, tmp_path):
    lake.append("orders", orders(range(100)), batch="a")
    (file,) = (tmp_path / "lake" / "orders").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    (finding,) = lake.verify()
    assert not finding.sound


def test_tables_of_another_program_become_a_lake(tmp_path):
    """Version 0, as Spark or dbt leave it: other types, names of persons, no batches."""
    place = tmp_path / "warehouse"
    rows = pa.table(
        {
            "order_id": [1, 2],
            "customer_id": [7, 8],
            "email": ["ana@exemple.fr", None],
            "ordered_at": pa.array([dt.datetime(2024, 1, 1)] * 2, pa.timestamp("us", "UTC")),
            "ordered_on": [dt.date(2024, 1, 1)] * 2,
            "amount": [12.5, 8.0],
        }
    )
    write_deltalake(str(place / "orders"), rows)
    lake = Lake(place)
    assert lake.schema_version == 0
    with pytest.raises(InputError, match="migrate"):
        lake.append("orders", orders([3]), batch="a")
    with pytest.raises(InputError, match="migrate"):
        revoir.open(place)
    assert lake.migrate() == 1
    assert lake.migrate() == 0
    lake = Lake(place)
    lake.append("orders", orders([3]), batch="a")
    assert all(one.sound for one in lake.verify())
    found = {
        row["order_id"]: (row["customer_id"], row["amount"]) for row in rows_of(lake, "orders")
    }
    assert found == {"1": ("7", Decimal("12.5")), "2": ("8", Decimal(8)), "3": ("c3", Decimal(10))}
    assert revoir.open(place).as_of == dt.date(2024, 1, 4)
    # A migration that was stopped after the table and before the marker is taken up again.
    (place / MARKER).unlink()
    assert Lake(place).migrate() == 1
    assert len(rows_of(Lake(place), "orders")) == 3


def test_a_later_version_is_left_alone(lake, tmp_path):
    marker = tmp_path / "lake" / MARKER
    marker.write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(InputError, match="later version"):
        Lake(tmp_path / "lake")
    marker.write_text("{")
    with pytest.raises(InputError, match="backup"):
        Lake(tmp_path / "lake")


def test_what_is_no_lake(tmp_path):
    with pytest.raises(InputError, match="no lake"):
        Lake(tmp_path)
    assert not is_lake(tmp_path)
    with pytest.raises(UsageError, match="cannot hold"):
        Lake.create(tmp_path / "a[b]")
    lake = Lake.create(tmp_path / "x")
    assert is_lake(tmp_path / "x")
    with pytest.raises(InputError, match="empty"):
        revoir.open(tmp_path / "x")
    with pytest.raises(UsageError, match="no table"):
        lake.append("people", orders([1]), batch="a")
    with pytest.raises(UsageError, match="batch"):
        lake.append("orders", orders([1]), batch="\n")
    with pytest.raises(InputError, match="None of these"):
        lake.append("orders", pa.table({"x": [1]}), batch="a")


@pytest.mark.parametrize("name", ["été à Paris", "a#b", "l'heure", 'q"x', "a;b"])
def test_folders_of_any_name(tmp_path, name):
    lake = Lake.create(tmp_path / name)
    lake.append("orders", orders([1]), batch="l'été; drop")
    lake.upsert("orders", orders([1, 2], amount=3), batch='"b"')
    assert len(rows_of(lake, "orders")) == 2
    lake.compact()
    assert lake.undo("l'été; drop") == {}
    assert len(rows_of(Lake(tmp_path / name), "orders")) == 2


def test_hostile_columns(lake):
    name = 'x" ; DROP TABLE orders; --'
    lake.append("orders", orders([1]).append_column(name, pa.array(["' OR 1=1"])), batch="a")
    lake.upsert("orders", orders([1]).append_column(name, pa.array(["b"])), batch="b")
    assert [row[name] for row in rows_of(lake, "orders")] == ["b"]
    lake.undo("b")
    assert [row[name] for row in rows_of(lake, "orders")] == ["' OR 1=1"]


def test_an_object_store_reads_the_same(lake, monkeypatch):
    """The way of a bucket: everything through delta-rs, nothing from the file system."""
    lake.append("orders", orders([1, 2]), batch="a")
    lake.upsert("orders", orders([2, 3], amount=20), batch="b")
    url = Path(lake.place.url).as_uri()
    monkeypatch.setattr(Place, "at", staticmethod(lambda location, options=None: Place(location)))
    far = Lake(url)
    assert not far.place.is_local
    far.append("orders", orders([4]), batch="c")
    book = revoir.open(url)
    found = book.rows(book.table("orders").filter(lambda t: t.order_id >= "2"))
    assert {row["order_id"]: int(row["amount"]) for row in found} == {"2": 20, "3": 20, "4": 10}
    assert far.undo("b") == {"orders": 2}
    assert all(one.sound for one in far.verify())


def test_without_the_package_it_says_what_to_install(lake, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(EngineError, match=r"revoir\[lake\]"):
        revoir.open(lake.place.url)


def test_versions_of_the_log_hold_no_more_than_one_batch_each(lake, tmp_path):
    """The rows and the word that they landed are one commit."""
    lake.append("orders", orders([1]), batch="a")
    log = sorted((tmp_path / "lake" / "orders" / "_delta_log").glob("*.json"))[-1]
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(action.get("txn", {}).get("appId") == "a" for action in actions)
    assert any("add" in action for action in actions)
    assert DeltaTable(str(tmp_path / "lake" / "orders")).transaction_version("a") == 1
