"""Compiled functions, cached on disk beside their source."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function compiled by numba on its first call; it releases Python's lock.

    The cache of a version before is dropped: where it names types that no longer exist, numba fails to load it
    instead of compiling anew.
    """
    _drop_older_cache(function.__code__.co_filename)
    return njit(cache=True, nogil=True)(function)


@lru_cache
def _drop_older_cache(source: str) -> None:
    file = Path(source)
    for index in (file.parent / "__pycache__").glob(f"{file.stem}.*.nbi"):
        with suppress(OSError):  # another process was faster, or the folder is not ours to write
            if index.stat().st_mtime < file.stat().st_mtime:
                index.unlink()
