"""Hashes of texts: different hashes prove that texts differ, equal ones prove nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from relapse_risk.features.compiled import compiled

Integers = npt.NDArray[np.int64]


@compiled
def _mix(numbers, offsets, letters):  # type: ignore[no-untyped-def]
    """FNV-1a over each text's bytes, begun from the row's number (Fowler, Noll, Vo; 64 bits)."""
    out = np.empty(len(numbers), np.uint64)
    for i in range(len(numbers)):
        state = np.uint64(14695981039346656037) ^ (np.uint64(numbers[i]) * np.uint64(11400714819323198485))
        for k in range(offsets[i], offsets[i + 1]):
            state = (state ^ np.uint64(letters[k])) * np.uint64(1099511628211)
        out[i] = state
    return out


def hash_with(numbers: Integers, texts: pa.ChunkedArray) -> Integers:
    """Return hashes of pairs of a number and a text.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Their first halves.
    texts : ChunkedArray of string, shape (n,)
        Their second halves; a missing one counts as empty.

    Returns
    -------
    ndarray of int64, shape (n,)
        Equal where the pairs are, and seldom elsewhere.
    """
    found, done = [], 0
    for chunk in texts.chunks:
        offsets = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        letters = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)
        found.append(_mix(numbers[done : done + len(chunk)], offsets, letters))
        done += len(chunk)
    hashes: Integers = np.concatenate(found).view(np.int64) if found else numbers
    return hashes
