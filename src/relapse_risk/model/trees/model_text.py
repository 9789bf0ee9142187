"""LightGBM's text format read into arrays.

Only what is known is read. A text that holds anything else, as that of linear trees does, is refused, and the
caller leaves the model to LightGBM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

#: LightGBM takes numbers of at most this size for zero (its kZeroThreshold).
ZERO = np.float32(1e-35)
#: Kinds of a split.
NUMERIC, ZERO_IS_MISSING, CATEGORICAL = 0, 1, 2

#: An inner node. Numbers up to the threshold go left; categories do if their bit is set.
NODE = np.dtype(
    [
        ("feature", np.int32),
        ("threshold", np.float32),
        ("kind", np.int8),
        ("missing_left", np.bool_),
        ("first_word", np.int32),
        ("n_words", np.int32),
        ("left", np.int32),  # the tree's inner nodes from 0, its leaves as ~leaf
        ("right", np.int32),
        ("count", np.int64),  # training rows that came here
    ]
)
LEAF = np.dtype([("value", np.float64), ("count", np.int64)])

_HEADER = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1"}
_IN_HEADER = {
    *("tree", "label_index", "max_feature_idx", "objective", "feature_names", "feature_infos"),
    *("monotone_constraints", "tree_sizes", *_HEADER),
}
_IN_TREE = {
    *("num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child"),
    *("right_child", "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight"),
    *("internal_count", "cat_boundaries", "cat_threshold", "is_linear", "shrinkage"),
}
#: Bits of LightGBM's decision type: categorical; missing values go left; two bits for what is missing.
_IS_CATEGORICAL, _MISSING_LEFT, _MISSING_TYPE = 1, 2, 2
_NOTHING_MISSING, _ZERO_MISSING, _NAN_MISSING = 0, 1, 2


class UnknownTrees(Exception):
    """A model's text holds what is not read here; the message names it."""


class ParsedTrees(NamedTuple):
    """The trees of some boosters, one after another.

    Parameters
    ----------
    n_features : int
        Columns of the matrix they are evaluated on.
    booster : ndarray of int32, shape (n_trees,)
        The booster of each tree.
    n_nodes : ndarray of int64, shape (n_trees,)
        Inner nodes of each tree; it has one leaf more.
    nodes : ndarray of NODE
        Inner nodes of all trees.
    leaves : ndarray of LEAF
        Leaves of all trees.
    words : ndarray of uint32
        Bit sets of the categories that go left.
    """

    n_features: int
    booster: npt.NDArray[np.int32]
    n_nodes: npt.NDArray[np.int64]
    nodes: npt.NDArray[Any]
    leaves: npt.NDArray[Any]
    words: npt.NDArray[np.uint32]


def parse(texts: Sequence[str]) -> ParsedTrees:
    """Read boosters from LightGBM's text format.

    Raises
    ------
    UnknownTrees
        If a text holds anything that is not read here.
    """
    trees: list[dict[str, str]] = []
    booster: list[int] = []
    widths = set()
    for number, text in enumerate(texts):
        header, *bodies = text.partition("\nend of trees")[0].split("\nTree=")
        widths.add(_n_features(header))
        trees.extend(_lines(body.partition("\n")[2], _IN_TREE) for body in bodies)
        booster.extend([number] * len(bodies))
    if len(widths) != 1 or not trees:
        raise UnknownTrees(f"{len(trees)} trees of {sorted(widths)} features")
    if any(tree["is_linear"] != "0" for tree in trees):
        raise UnknownTrees("linear trees")
    n_leaves = np.array([int(tree["num_leaves"]) for tree in trees], np.int64)
    leaves = np.empty(n_leaves.sum(), LEAF)
    leaves["value"] = _joined(trees, "leaf_value", np.float64, n_leaves)
    leaves["count"] = _joined(trees, "leaf_count", np.int64, n_leaves)
    nodes, words = _nodes(trees, n_leaves - 1)
    parsed = ParsedTrees(widths.pop(), np.array(booster, np.int32), n_leaves - 1, nodes, leaves, words)
    _check(parsed)
    return parsed


def _n_features(header: str) -> int:
    lines = _lines(header, _IN_HEADER)
    for name, known in _HEADER.items():
        if lines.get(name) != known:
            raise UnknownTrees(f"{name}={lines.get(name)}")
    return int(lines["max_feature_idx"]) + 1


def _lines(text: str, known: Collection[str]) -> dict[str, str]:
    lines = dict(line.partition("=")[::2] for line in text.splitlines() if line)
    if unknown := lines.keys() - known:
        raise UnknownTrees(f"the lines {', '.join(sorted(unknown))}")
    return lines


def _joined(
    trees: Iterable[dict[str, str]], name: str, dtype: npt.DTypeLike, lengths: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """Return a line of all trees as one array; each tree's has a known length."""
    texts = [tree.get(name, "").split() for tree in trees]
    if [len(text) for text in texts] != lengths.tolist():
        raise UnknownTrees(f"{name} of another length")
    return np.array([number for text in texts for number in text], dtype)


def _nodes(
    trees: Sequence[dict[str, str]], n_nodes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint32]]:
    nodes = np.zeros(n_nodes.sum(), NODE)
    nodes["feature"] = _joined(trees, "split_feature", np.int32, n_nodes)
    nodes["left"] = _joined(trees, "left_child", np.int32, n_nodes)
    nodes["right"] = _joined(trees, "right_child", np.int32, n_nodes)
    nodes["count"] = _joined(trees, "internal_count", np.int64, n_nodes)
    threshold = _joined(trees, "threshold", np.float64, n_nodes)
    decision = _joined(trees, "decision_type", np.int64, n_nodes)
    missing = decision >> _MISSING_TYPE
    categorical = (decision & _IS_CATEGORICAL) != 0
    if not np.isin(missing, (_NOTHING_MISSING, _ZERO_MISSING, _NAN_MISSING)).all() or np.isnan(threshold).any():
        raise UnknownTrees("decisions of an unknown type")
    nodes["kind"] = np.select([categorical, missing == _ZERO_MISSING], [CATEGORICAL, ZERO_IS_MISSING], NUMERIC)
    # Where nothing is missing, LightGBM takes NaN for zero.
    nodes["missing_left"] = np.where(missing == _NOTHING_MISSING, threshold >= 0, (decision & _MISSING_LEFT) != 0)
    nodes["threshold"] = np.where(categorical, 0, _as_float32(threshold))

    n_sets = np.array([int(tree["num_cat"]) for tree in trees], np.int64)
    bounds = _joined(trees, "cat_boundaries", np.int64, np.where(n_sets > 0, n_sets + 1, 0))
    n_words = np.zeros(len(trees), np.int64)
    n_words[n_sets > 0] = bounds[np.cumsum(n_sets[n_sets > 0] + 1) - 1]
    words = _joined(trees, "cat_threshold", np.uint64, n_words).astype(np.uint32)
    tree_of = np.repeat(np.arange(len(trees)), n_nodes)[categorical]
    number = threshold[categorical].astype(np.int64)  # a categorical node's threshold is the number of its set
    if (number < 0).any() or (number >= n_sets[tree_of]).any():
        raise UnknownTrees("a set of categories that is not there")
    first_bound = np.cumsum(np.where(n_sets > 0, n_sets + 1, 0)) - np.where(n_sets > 0, n_sets + 1, 0)
    at = first_bound[tree_of] + number
    nodes["first_word"][categorical] = (np.cumsum(n_words) - n_words)[tree_of] + bounds[at]
    nodes["n_words"][categorical] = bounds[at + 1] - bounds[at]
    if (nodes["n_words"][categorical] < 1).any():
        raise UnknownTrees("an empty set of categories")
    return nodes, words


def _as_float32(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return thresholds that divide float32 numbers as LightGBM's do, which takes tiny numbers for zero."""
    with np.errstate(over="ignore"):
        rounded = threshold.astype(np.float32)
    rounded = np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
    below_zero = np.nextafter(-ZERO, np.float32(-np.inf))
    tiny = (rounded >= -ZERO) & (rounded < ZERO)
    return np.where(tiny, np.where(threshold >= 0, ZERO, below_zero), rounded)


def _check(trees: ParsedTrees) -> None:
    """Refuse what is not a tree, and nodes without training rows, of which TreeSHAP is not defined."""
    nodes, n_nodes = trees.nodes, trees.n_nodes
    if (nodes["feature"] < 0).any() or (nodes["feature"] >= trees.n_features).any():
        raise UnknownTrees("a split of an unknown feature")
    size = np.repeat(n_nodes, n_nodes)
    first = np.cumsum(n_nodes) - n_nodes
    within = np.arange(len(nodes)) - np.repeat(first, n_nodes)
    children = np.concatenate([nodes["left"], nodes["right"]])
    above, of = np.tile(within, 2), np.tile(size, 2)
    # A node's number is above its parent's; so each child once means that there are no loops.
    valid = np.where(children >= 0, (children > above) & (children < of), ~children <= of)
    tree_of = np.tile(np.repeat(np.arange(len(n_nodes)), n_nodes), 2)
    if not valid.all() or len(np.unique(tree_of * 2**32 + children)) != len(children):
        raise UnknownTrees("nodes that are no tree")
    split = np.repeat(n_nodes > 0, n_nodes + 1)
    if (nodes["count"] <= 0).any() or (trees.leaves["count"][split] <= 0).any():
        raise UnknownTrees("nodes without training rows")
