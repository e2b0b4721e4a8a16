"""The lists of very many customers: columns in files, narrowed and sorted in memory.

A database needs an index for each way of sorting and narrowing, and all of them are written anew
whenever the figures are: of a million customers that takes minutes, and a page whose index is not
in memory takes seconds. Here a condition is a comparison of one column, an order is a column that
is there, and the columns of a million customers are 80 MB of files that processes map.

What customers are called stands in no column; their places in the order of names do. The database
stays what is true: rows are read from it by the keys that are found here.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from revoir.files import whole
from revoir_web.common import jobs
from revoir_web.common.locks import only_one
from revoir_web.customers.models import CustomerFigures, new_id
from revoir_web.customers.text import after

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from revoir_web.customers.narrowing import Condition

    Numbers = npt.NDArray[Any]

LONG = 20_000
"""Customers from which on lists are read from columns; the database sorts fewer in no time."""
SLOT_SECONDS = 20
"""How long a change may take to show in a long list."""
WORDS = ("segment", "status", "city_key")
DAYS = ("first_on", "last_on", "next_on")
FLOATS = ("revenue", "leaves", "stake", "clv", "health")
NUMBERS = ("orders", *FLOATS, *DAYS)
SORTS = ("name_key", *NUMBERS)
_AT_ONCE = 20_000
_UNKNOWN = -(2**31)
"""The day that stands for none."""
_LOCK = "lists"
_opened: list[Columns] = []
_opening = threading.Lock()


@dataclass(frozen=True)
class Found:
    """The keys of customers in an order; those of a part are read from the column.

    It is to be let go soon: it holds the column in memory, and pages live until Python looks for
    what refers to itself.

    Attributes:
        places: Places in `keys`.
        keys: Those of all customers.
    """

    places: Numbers
    keys: Numbers

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, part: slice) -> list[str]:
        return [key.decode("ascii") for key in self.keys[self.places[part]].tolist()]


class Columns:
    """The columns as they were written at one time.

    Args:
        folder: Where they are.

    Raises:
        FileNotFoundError: They are gone, as others were written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: tuple[Any, Numbers] | None = None
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        self.words: dict[str, list[str]] = told["words"]
        """The values of a column of words, sorted; the column holds their places."""
        self.known: dict[str, int] = told["known"]
        """Order → how many have a value; the others stand behind them."""

    def _column(self, name: str) -> Numbers:
        """A column, mapped for as long as it is used: it costs the process no memory."""
        import numpy as np

        found: Numbers = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return found

    def find(self, conditions: Sequence[Condition], sort: str, *, down: bool) -> Found:
        """What `find` tells.

        Raises:
            FileNotFoundError: The columns are gone, as others were written.
        """
        asked = (tuple(conditions), sort, down)
        # A page asks twice: for its rows, and for how many there are.
        if (last := self._last) is None or last[0] != asked:
            self._last = last = (asked, self._places(conditions, sort, down))
        return Found(last[1], self._column("key"))

    def _places(self, conditions: Sequence[Condition], sort: str, down: bool) -> Numbers:
        import numpy as np

        if sort == "pk":
            order = np.arange(len(self._column("key")), dtype="i4")[:: -1 if down else 1]
        else:
            order, known = self._column(_order(sort)), self.known[sort]
            if down:
                order = np.concatenate((order[:known][::-1], order[known:][::-1]))
        masks = [self._mask(condition) for condition in conditions]
        return order[np.logical_and.reduce(masks)[order]] if masks else np.array(order)

    def _mask(self, condition: Condition) -> Numbers:
        if condition.field == "pk":
            return self._beyond(condition)
        column, value = self._column(condition.field), condition.value
        mask: Numbers
        if condition.test in ("is", "town"):
            first, last = self._words(condition)
            mask = (column >= first) & (column < last)
            return mask
        bound = (value - _EPOCH).days if isinstance(value, dt.date) else float(value)
        # A day that is not known is not before another.
        mask = column >= bound if condition.test == "from" else column <= bound
        mask = mask & (column != _UNKNOWN)
        return mask

    def _beyond(self, condition: Condition) -> Numbers:
        """Those whose key is after another, or before it."""
        import numpy as np

        keys, key = self._column("key"), str(condition.value).encode()
        mask = np.zeros(len(keys), dtype=bool)
        if condition.test == "after":
            mask[np.searchsorted(keys, np.bytes_(key), side="right") :] = True
        else:
            mask[: np.searchsorted(keys, np.bytes_(key), side="left")] = True
        return mask

    def _words(self, condition: Condition) -> tuple[int, int]:
        """From which place, and before which, the words stand that are meant."""
        words, text = self.words[condition.field], str(condition.value)
        place = bisect_left(words, text)
        if place < len(words) and words[place] == text:
            return place, place + 1
        if condition.test == "is" or not text:
            return 0, 0
        return place, bisect_left(words, after(text))


_EPOCH = dt.date(1970, 1, 1)


def find(conditions: Sequence[Condition], sort: str, *, down: bool) -> Found | None:
    """The customers who meet all conditions, in order; those without a value come last.

    Args:
        conditions: What they have to meet.
        sort: One of `SORTS`, or "pk".
        down: Whether the greatest is first.

    Returns:
        Their keys; None where customers are few, and the database is to be asked.
    """
    for _attempt in range(3):
        try:
            current = _current()
            return None if current is None else current.find(conditions, sort, down=down)
        except FileNotFoundError:
            # Others were written meanwhile, or somebody emptied the folder.
            continue
    return None


def _current() -> Columns | None:
    try:
        name = _pointer().read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    with _opening:
        if not _opened or _opened[0].folder != _root() / name:
            _opened[:] = [Columns(_root() / name)]
        return _opened[0]


def changed() -> None:
    """Let the columns follow a change; to be called after it, in its transaction."""
    if _pointer().exists():
        _write_soon()


def begin() -> None:
    """Have the columns written where customers are many and there are none, as after a restore."""
    if not _pointer().exists() and CustomerFigures.objects.count() >= LONG:
        _write_soon()


def _write_soon() -> None:
    """Once for all changes of a slot of time."""
    slot = int(time.time()) // SLOT_SECONDS + 1
    jobs.enqueue(
        "customers.columns",
        key=f"customers.columns:{slot}",
        not_before=dt.datetime.fromtimestamp(slot * SLOT_SECONDS, dt.UTC),
    )


def write() -> int:
    """Write the columns of all customers, or let them go where customers are few.

    Returns:
        How many customers there are.
    """
    with only_one(_LOCK):
        count = CustomerFigures.objects.count()
        if count < LONG:
            shutil.rmtree(_root(), ignore_errors=True)
            return count
        before = [path for path in _root().glob("*") if path.is_dir()]
        current = _pointer().read_text(encoding="utf-8") if _pointer().exists() else ""
        folder = _root() / new_id()
        folder.mkdir(parents=True, mode=0o700)
        _write(folder)
        with whole(_pointer()) as draft:
            draft.write_text(folder.name, encoding="utf-8")
        # Who has just read the pointer still finds what it says.
        for old in before:
            if old.name != current:
                shutil.rmtree(old, ignore_errors=True)
    return count


def _root() -> Path:
    return Path(settings.DATA) / "lists"


def _pointer() -> Path:
    return _root() / "current"


def _order(sort: str) -> str:
    return f"by_{sort}"


# -- From the database ---------------------------------------------------------------------------
def _write(folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    read = _read()
    words, known = {}, {}

    def keep(name: str, column: Numbers) -> None:
        np.save(folder / f"{name}.npy", column)

    keep("key", np.array(read["customer_id"].to_pylist(), dtype="S32"))
    for name in WORDS:
        coded = read[name].dictionary_encode().combine_chunks()
        words[name] = sorted(coded.dictionary.to_pylist())
        place = {word: number for number, word in enumerate(words[name])}
        moved = np.array([place[word] for word in coded.dictionary.to_pylist()], dtype="i4")
        keep(name, moved[coded.indices.to_numpy()])
    for name in NUMBERS:
        column = read[name]
        if name in DAYS:
            column = column.cast(pa.date32()).cast(pa.int32())
        known[name] = len(column) - column.null_count
        last = pc.fill_null(column, np.iinfo("i4").max).to_numpy()
        keep(_order(name), np.argsort(last, kind="stable").astype("i4"))
        keep(name, pc.fill_null(column, _UNKNOWN).to_numpy())
    names = pc.if_else(pc.equal(read["name_key"], ""), None, read["name_key"])
    known["name_key"] = len(names) - names.null_count
    order = pc.sort_indices(names)  # nulls at the end
    keep(_order("name_key"), order.to_numpy().astype("i4"))
    told = json.dumps({"words": words, "known": known}, ensure_ascii=False)
    (folder / "told.json").write_text(told, encoding="utf-8")


def _read() -> pa.Table:
    """The columns in the order of the keys, days as text."""
    import pyarrow as pa

    text = pa.string()
    schema = pa.schema(
        [
            ("customer_id", text), *((name, text) for name in WORDS), ("orders", pa.int32()),
            *((name, pa.float64()) for name in FLOATS), *((name, text) for name in DAYS),
            ("name_key", text),
        ]
    )  # fmt: skip
    parts = [
        pa.record_batch(list(zip(*rows, strict=True)), schema=schema)
        for rows in _parts(schema.names)
    ]
    return pa.Table.from_batches(parts, schema)


def _parts(names: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of all customers, without what Django makes of each value."""
    quote = connection.ops.quote_name
    table, key = quote(CustomerFigures._meta.db_table), quote("customer_id")
    # A day that is cast is given as it is written; an amount, as a number on both databases.
    forms = dict.fromkeys(DAYS, "text") | {"revenue": "double precision"}
    wanted = ", ".join(
        f"CAST({quote(name)} AS {forms[name]})" if name in forms else quote(name) for name in names
    )
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {wanted} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT {_AT_ONCE}",
                [last],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]
