"""Functions compiled by numba: those that Python calls, cached on disk beside their source, and their parts."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

_Scalar = TypeVar("_Scalar", bound=np.generic)


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function compiled by numba on its first call; it releases Python's lock.

    Division follows numpy: by zero it gives infinity or NaN and raises nothing. The cache of a version before is
    dropped: where it names types that no longer exist, numba fails to load it instead of compiling anew.
    """
    _drop_older_cache(function.__code__.co_filename)
    return njit(cache=True, nogil=True, error_model="numpy")(function)


def compiled_part(function: Callable[..., Any]) -> Any:
    """Return a function for compiled functions to call.

    It has no cache of its own: a cached function does not notice that something it calls in another file changed.
    It cannot create arrays: without counting references to them, passing many arrays on costs little.
    """
    return njit(nogil=True, error_model="numpy", _nrt=False)(function)


def inlined_part(function: Callable[..., Any]) -> Any:
    """Return a function that is written out where compiled parts call it.

    For what is called for every row or stream: there, passing many arrays on would cost more than the work.
    """
    return njit(nogil=True, error_model="numpy", _nrt=False, inline="always")(function)


def read_only(array: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return an array as one that cannot be written to, whichever it was: numba compiles for each of the two."""
    view = array.view()
    view.flags.writeable = False
    return view


def checksum_of(*modules: ModuleType) -> int:
    """Return a checksum of modules' sources.

    A compiled function that closes over it is compiled anew when one of them changes: numba's cache tells
    functions apart by their own file and by what they close over.
    """
    return zlib.crc32("".join(inspect.getsource(module) for module in modules).encode())


@lru_cache
def _drop_older_cache(source: str) -> None:
    file = Path(source)
    for index in (file.parent / "__pycache__").glob(f"{file.stem}.*.nbi"):
        with suppress(OSError):  # another process was faster, or the folder is not ours to write
            if index.stat().st_mtime < file.stat().st_mtime:
                index.unlink()
