"""Compiling inner loops once for all runs, wherever there is a folder to keep them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function when it is first called, and keep the result on the disk.

    numba keeps it beside the source or in the user's cache (`NUMBA_CACHE_DIR` names another place).
    A service without a home that may not write beside its program has neither: it compiles anew in
    each process, some four seconds.

    Args:
        function: Arrays and numbers in, arrays and numbers out.

    Returns:
        The same function, compiled.
    """
    try:
        fast: Callable[P, R] = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:
        fast = numba.njit(error_model="numpy")(function)
    return fast
