"""Columns of Python values as Arrow arrays.

`pyarrow.array` imports pandas before it looks at the first Python value, which takes longer than a
small file does; these fill Arrow's buffers through NumPy instead, and need no pandas.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import repeat
from operator import floordiv, sub
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_SMALL_MAX = 2**31 - 1
"""Bytes of text that 32-bit offsets reach."""


def texts(cells: Sequence[str | None]) -> pa.Array:
    """Text; null where there is none, or an empty one.

    Examples:
        >>> texts(["Tours", None, "", "Nîmes"]).to_pylist()
        ['Tours', None, None, 'Nîmes']
    """
    held = [cell or "" for cell in cells]
    return joined_texts(held, "".join(held))


def joined_texts(cells: Sequence[str], joined: str) -> pa.Array:
    """Text; null where it is empty.

    Args:
        cells: The texts.
        joined: All of them, one behind the other.
    """
    count = len(cells)
    ends = np.cumsum(np.fromiter(map(len, cells), np.int64, count))
    starts = np.concatenate(([0], ends))
    if not joined.isascii():
        points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
        # UTF-8 takes a byte more from each of these characters on.
        widths = 1 + sum((points >= first).astype(np.int64) for first in (0x80, 0x800, 0x10000))
        starts = np.concatenate(([0], np.cumsum(widths)))[starts]
    data = joined.encode("utf-8", "replace")
    small = len(data) <= _SMALL_MAX
    offsets = starts.astype(np.int32 if small else np.int64)
    filled = np.diff(offsets) > 0
    return pa.Array.from_buffers(
        pa.string() if small else pa.large_string(),
        count,
        [None if filled.all() else _bits(filled), pa.py_buffer(offsets), pa.py_buffer(data)],
    )


def integers(cells: Sequence[int | None]) -> pa.Array:
    """Whole numbers of 64 bits.

    Raises:
        OverflowError: One does not fit.
    """
    held, valid = _filled(cells, 0)
    return _fixed(pa.int64(), np.array(held, np.int64), valid)


def numbers(cells: Sequence[float | None]) -> pa.Array:
    """Numbers, as whole ones where all are; NaN is a number, and not whole.

    Examples:
        >>> numbers([1.0, None, 3.0]).to_pylist(), numbers([1, 2.5]).to_pylist()
        ([1, None, 3], [1.0, 2.5])
    """
    held, valid = _filled(cells, 0.0)
    values = np.array(held, np.float64)
    # From 2**53 on a float does not tell one whole number from the next.
    if bool(np.all((values == np.floor(values)) & (np.abs(values) < 2**53))):
        return _fixed(pa.int64(), values.astype(np.int64), valid)
    return _fixed(pa.float64(), values, valid)


def moments(cells: Sequence[dt.datetime | None]) -> pa.Array:
    """Times without a zone, to the microsecond.

    Examples:
        >>> moments([dt.datetime(2024, 3, 31, 2, 30), None]).to_pylist()
        [datetime.datetime(2024, 3, 31, 2, 30), None]
    """
    held, valid = _filled(cells, _EPOCH)
    since = map(floordiv, map(sub, held, repeat(_EPOCH)), repeat(_MICROSECOND))
    return _fixed(pa.timestamp("us"), np.fromiter(since, np.int64, len(held)), valid)


def _filled(cells: Sequence[Any], filler: Any) -> tuple[Sequence[Any], pa.Buffer | None]:
    """The cells with something in place of None, and the bits that say where none was."""
    if None not in cells:
        return cells, None
    valid = np.fromiter((cell is not None for cell in cells), np.bool_, len(cells))
    return [filler if cell is None else cell for cell in cells], _bits(valid)


def _bits(valid: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def _fixed(kind: pa.DataType, values: npt.NDArray[Any], valid: pa.Buffer | None) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(values)])
