"""The lake against a model that is a dictionary: whatever is done in whatever order."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from revoir import engines
from revoir.store import Lake, care

from .conftest import orders

Rows = dict[str, int]
KEYS = st.lists(st.integers(0, 6), min_size=0, max_size=4, unique=True)


class Model(RuleBasedStateMachine):
    """For each order the pile of its amounts by batches that say so; the uppermost is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="revoir-lake-"))
        self.lake = Lake.create(self.folder / "lake")
        self.backend = engines.memory(threads=1)
        self.piles: dict[str, list[tuple[set[str], int]]] = {}
        self.undone: set[str] = set()
        self.batches: list[str] = []
        self.seen: list[tuple[str, Rows]] = []
        self.fresh = 100

    def teardown(self) -> None:
        self.backend.disconnect()
        shutil.rmtree(self.folder)

    def expected(self) -> Rows:
        return {key: pile[-1][1] for key, pile in self.piles.items() if pile}

    def found(self, at: str | None = None) -> Rows:
        tables = self.lake.tables(self.backend, at=at)
        if "orders" not in tables:
            return {}
        chosen = tables["orders"].select("order_id", "amount")
        rows = self.backend.con.execute(self.backend.compile(chosen)).fetchall()
        assert len({key for key, _ in rows}) == len(rows)
        return {key: int(amount) for key, amount in rows}

    def new_batch(self) -> str:
        self.batches.append(f"b{len(self.batches)}")
        return self.batches[-1]

    @rule(count=st.integers(0, 3), amount=st.integers(1, 99))
    def append(self, count: int, amount: int) -> None:
        keys = range(self.fresh, self.fresh + count)
        self.fresh += count
        batch = self.new_batch()
        assert self.lake.append("orders", orders(keys, amount=amount), batch=batch).rows == count
        for key in keys:
            self.piles[str(key)] = [({batch}, amount)]

    @rule(keys=KEYS, old=st.integers(0, 3), amount=st.integers(1, 99))
    def upsert(self, keys: list[int], old: int, amount: int) -> None:
        keys = keys + list(range(100, min(self.fresh, 100 + old)))
        batch = self.new_batch()
        self.lake.upsert("orders", orders(keys, amount=amount), batch=batch)
        for key in keys:
            self.piles.setdefault(str(key), []).append(({batch}, amount))

    @precondition(lambda self: self.lake.place.tables())
    @rule(keys=KEYS, old=st.integers(0, 3))
    def say_again(self, keys: list[int], old: int) -> None:
        wanted = [str(key) for key in (*keys, *range(100, min(self.fresh, 100 + old)))]
        there = [key for key in wanted if self.piles.get(key)]
        batch = self.new_batch()
        told = self.lake.say_again("orders", pa.chunked_array([wanted], pa.string()), batch=batch)
        assert told.rows == len(there)
        for key in there:
            self.piles[key][-1][0].add(batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        self.lake.undo(batch)
        self.undone.add(batch)
        for key, pile in self.piles.items():
            left = [(batches - {batch}, amount) for batches, amount in pile]
            self.piles[key] = [entry for entry in left if entry[0]]

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), replace=st.booleans())
    def retry(self, data: st.DataObject, replace: bool) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        write = self.lake.upsert if replace else self.lake.append
        landed = write("orders", orders([1, 2], amount=1), batch=batch)
        assert landed.already
        assert landed.undone == (batch in self.undone)
        keys = pa.chunked_array([["1"]], pa.string())
        assert self.lake.say_again("orders", keys, batch=batch).already

    @rule(full=st.booleans())
    def compact(self, full: bool) -> None:
        self.lake.compact(full=full)

    @rule()
    def vacuum(self) -> None:
        versions = [version for version, _ in self.seen]
        for table in self.lake.place.tables():
            for pile in (table, *self.lake.place.beside(table)):
                if self.lake.place.holds(pile):
                    kept = (
                        [int(v.partition(":")[2]) for v in versions if v] if pile == table else None
                    )
                    care.remove(self.lake.place, pile, dt.timedelta(0), kept)

    @rule()
    def look(self) -> None:
        self.seen.append((self.lake.version, self.expected()))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        version, expected = data.draw(st.sampled_from(self.seen))
        assert self.found(version) == expected

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        assert self.found() == self.expected()


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
