"""Rows gone over a few at a time, on threads where there are many."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

#: Rows at a time: their contributions and one tree's table fit into the processor's cache.
ROWS = 256
#: Rows that a thread is worth starting for.
_ROWS_OF_THREAD = 16 * ROWS


def over_rows(work: Callable[[slice], None], n: int, n_threads: int | None) -> None:
    """Call a function with each ``ROWS`` of n rows.

    Parameters
    ----------
    work : callable
        Called with a slice of rows, on several threads if there are more than a few thousand rows.
    n : int
        Number of rows.
    n_threads : int, optional
        All processors otherwise.
    """

    def part(low: int, high: int) -> None:
        for first in range(low, high, ROWS):
            work(slice(first, min(first + ROWS, high)))

    threads = n_threads or os.cpu_count() or 1
    if threads == 1 or n <= _ROWS_OF_THREAD:
        part(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        parts = ((low, min(low + _ROWS_OF_THREAD, n)) for low in range(0, n, _ROWS_OF_THREAD))
        deque(pool.map(lambda bounds: part(*bounds), parts), maxlen=0)  # raises what a thread raised
