"""Compiled: tables of trees, and rows looked up in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.compiled import compiled
from relapse_risk.model.trees.model_text import CATEGORICAL, ZERO, ZERO_IS_MISSING

Arrays = npt.NDArray[Any]


@compiled
def fill_tables(
    trees: Arrays, nodes: Arrays, leaves: Arrays, place: Arrays, table: Arrays, expected: Arrays
) -> None:
    """Fill each tree's table: TreeSHAP contributions of the features it uses, and last the leaf's value.

    A leaf of value v, with n features on its path, adds to one of them, for each subset S of the others,
    ``|S|! (n - 1 - |S|)! / n!`` times what it adds to v's share of the row once the values of S are known. Where a
    value is unknown, rows part as the training rows did. The sum over the subsets of one size is a coefficient of
    the product of ``share + known * y`` over the other features, so that no subset is listed.

    Parameters
    ----------
    trees : ndarray of TREE
        Where each tree's nodes, features and table begin.
    nodes, leaves : ndarray of NODE, LEAF
        As ``parse`` returns them.
    place : ndarray of int32, shape (n_nodes,)
        Place of a node's feature among those its tree uses.
    table : ndarray of float64
        Filled: for each tree and each feature it uses, a number for each pattern of answers; bit k of a pattern is
        set where node k sends the row left.
    expected : ndarray of float64, shape (n_trees,)
        Filled: a tree's mean over its training rows.
    """
    factorial = np.ones(16)
    for k in range(1, 16):
        factorial[k] = factorial[k - 1] * k
    share = np.empty(16)
    asked = np.empty(16, np.int64)
    wanted = np.empty(16, np.int64)
    path = np.empty(16, np.int64)
    known = np.empty(16)
    product = np.empty(16)
    parent = np.empty(32, np.int64)
    for t in range(len(trees)):
        first, n_nodes, n_used = trees[t].first_node, trees[t].n_nodes, trees[t].n_used
        first_leaf, start, size = first + t, trees[t].first_entry, 1 << n_nodes
        if n_nodes == 0:
            expected[t] = leaves[first_leaf].value
            table[start] = leaves[first_leaf].value
            continue
        total = nodes[first].count
        expected[t] = 0.0
        parent[:] = -1
        for k in range(n_nodes):
            left, right = nodes[first + k].left, nodes[first + k].right
            parent[left if left >= 0 else n_nodes + ~left] = k
            parent[right if right >= 0 else n_nodes + ~right] = k
        for leaf in range(n_nodes + 1):
            value, count = leaves[first_leaf + leaf].value, leaves[first_leaf + leaf].count
            expected[t] += count / total * value
            share[:] = 1.0
            asked[:] = 0
            wanted[:] = 0
            n = 0
            below, at = ~leaf, parent[n_nodes + leaf]
            while at >= 0:
                u = place[first + at]
                if asked[u] == 0:
                    path[n] = u
                    n += 1
                asked[u] |= 1 << at
                if nodes[first + at].left == below:
                    wanted[u] |= 1 << at
                share[u] *= count / nodes[first + at].count
                count = nodes[first + at].count
                below, at = at, parent[at]
            for pattern in range(size):
                reached = True
                for i in range(n):
                    u = path[i]
                    known[i] = 1.0 if (pattern & asked[u]) == wanted[u] else 0.0
                    reached = reached and known[i] == 1.0
                if reached:
                    table[start + n_used * size + pattern] = value
                for i in range(n):
                    product[0] = 1.0
                    degree = 0
                    for j in range(n):
                        if j != i:
                            degree += 1
                            product[degree] = 0.0
                            for s in range(degree, 0, -1):
                                product[s] = product[s] * share[path[j]] + product[s - 1] * known[j]
                            product[0] *= share[path[j]]
                    weight = 0.0
                    for s in range(n):
                        weight += product[s] * factorial[s] * factorial[n - 1 - s] / factorial[n]
                    u = path[i]
                    table[start + u * size + pattern] += weight * (known[i] - share[u]) * value


@compiled
def look_up(
    trees: Arrays,
    nodes: Arrays,
    words: Arrays,
    used: Arrays,
    table: Arrays,
    columns: Arrays,
    n_boosters: int,
    contributions: Arrays,
    raw: Arrays,
) -> None:
    """Evaluate the mean of boosters on some rows.

    Parameters
    ----------
    trees, nodes, words, used, table
        As in ``TreeTables``.
    columns : ndarray of float32, shape (n_features, n)
        The rows, feature by feature.
    n_boosters : int
        How many.
    contributions : ndarray of float64, shape (n_features, n)
        Filled; with no features only raw scores are computed.
    raw : ndarray of float64, shape (n,)
        Filled.
    """
    n = columns.shape[1]
    contributions[:] = 0.0
    sums = np.zeros((n_boosters, n))
    pattern = np.empty(n, np.uint8)
    for t in range(len(trees)):
        first, n_nodes, n_used = trees[t].first_node, trees[t].n_nodes, trees[t].n_used
        pattern[:] = 0
        for k in range(n_nodes):
            node = nodes[first + k]
            x = columns[node.feature]
            bit, no_bit = np.uint8(1 << k), np.uint8(0)
            threshold, missing_left = node.threshold, node.missing_left
            if node.kind == CATEGORICAL and node.n_words == 1:
                word = words[node.first_word]
                for r in range(n):  # without branches: the processor takes several rows at a time
                    v = x[r]
                    inside = (v > np.float32(-1.0)) & (v < np.float32(32.0))
                    code = np.uint32(np.int32(v if inside else np.float32(0.0)))
                    left = inside & (((word >> code) & np.uint32(1)) != 0)
                    pattern[r] |= bit if left else no_bit
            elif node.kind == CATEGORICAL:
                beyond = np.float32(32 * node.n_words)
                for r in range(n):
                    v = x[r]
                    if np.float32(-1.0) < v < beyond:  # LightGBM cuts fractions off; other numbers and NaN go right
                        code = np.uint32(v)
                        if (words[node.first_word + np.int64(code >> 5)] >> (code & np.uint32(31))) & np.uint32(1):
                            pattern[r] |= bit
            elif node.kind == ZERO_IS_MISSING:
                for r in range(n):
                    v = x[r]
                    present = v > ZERO or v < -ZERO
                    left = v <= threshold if present else missing_left
                    pattern[r] |= bit if left else no_bit
            elif missing_left:
                for r in range(n):
                    pattern[r] |= no_bit if x[r] > threshold else bit  # no comparison with NaN holds
            else:
                for r in range(n):
                    pattern[r] |= bit if x[r] <= threshold else no_bit
        size = 1 << n_nodes
        start = trees[t].first_entry
        if len(contributions):
            for u in range(n_used):
                values = table[start + u * size : start + (u + 1) * size]
                out = contributions[used[trees[t].first_used + u]]
                for r in range(n):
                    out[r] += values[pattern[r]]
        values = table[start + n_used * size : start + (n_used + 1) * size]
        out = sums[trees[t].booster]
        for r in range(n):
            out[r] += values[pattern[r]]
    raw[:] = 0.0
    for b in range(n_boosters):
        raw += sums[b]
    raw /= n_boosters
    contributions /= n_boosters
