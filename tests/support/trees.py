"""Trees written by hand, as LightGBM's text and evaluated by brute force."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from lightgbm import Booster

NAN, ZERO, NONE = "NaN", "zero", "none"


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value, and the training rows that fell into it."""

    value: float
    count: int


@dataclass(frozen=True)
class Split:
    """A node: what goes left is up to the threshold, or among the categories."""

    feature: int
    left: Leaf | Split
    right: Leaf | Split
    threshold: float = 0.0
    categories: tuple[int, ...] = ()
    missing: str = NAN
    missing_left: bool = False

    @property
    def count(self) -> int:
        return self.left.count + self.right.count

    def goes_left(self, value: float) -> bool:
        """LightGBM's rule, of one number."""
        if self.categories:
            return not math.isnan(value) and int(value) in self.categories and value > -1
        if self.missing == NAN and math.isnan(value):
            return self.missing_left
        value = 0.0 if math.isnan(value) or abs(value) <= np.float32(1e-35) else value
        if self.missing == ZERO and value == 0:
            return self.missing_left
        return value <= self.threshold


Tree = Leaf | Split


def expected(tree: Tree, row: Sequence[float], known: frozenset[int]) -> float:
    """The mean of a tree where only some features of a row are known: elsewhere rows part as in training."""
    if isinstance(tree, Leaf):
        return tree.value
    left, right = (expected(child, row, known) for child in (tree.left, tree.right))
    if tree.feature in known:
        return left if tree.goes_left(row[tree.feature]) else right
    return (tree.left.count * left + tree.right.count * right) / tree.count


def shapley(tree: Tree, row: Sequence[float]) -> list[float]:
    """Shapley values of a row's features by their definition, and last the tree's mean."""
    n = len(row)
    values = []
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        value = 0.0
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for some in combinations(others, size):
                known = frozenset(some)
                value += weight * (expected(tree, row, known | {feature}) - expected(tree, row, known))
        values.append(value)
    return [*values, expected(tree, row, frozenset())]


def text_of(trees: Sequence[Tree], n_features: int) -> str:
    """The trees in LightGBM's text format, as LightGBM itself writes it."""
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
        "objective=binary sigmoid:1",
        "feature_names=" + " ".join(f"f{k}" for k in range(n_features)),
        "feature_infos=" + " ".join(["none"] * n_features),
    ]
    bodies = [f"Tree={k}\n{_body(tree)}\n\n" for k, tree in enumerate(trees)]
    sizes = "tree_sizes=" + " ".join(str(len(body)) for body in bodies)
    text = "\n".join([*head, sizes, "", "".join(bodies)]) + "end of trees\n\nparameters:\nend of parameters\n"
    return str(Booster(model_str=text).model_to_string())


def _body(tree: Tree) -> str:
    nodes: list[Split] = []
    leaves: list[Leaf] = []
    children: dict[int, tuple[int, int]] = {}

    def add(at: Tree) -> int:
        if isinstance(at, Leaf):
            leaves.append(at)
            return -len(leaves)
        nodes.append(at)
        number = len(nodes) - 1
        left = add(at.left)
        children[number] = (left, add(at.right))
        return number

    add(tree)
    sets = [node.categories for node in nodes if node.categories]
    words = [_words(categories) for categories in sets]
    numbers = iter(range(len(sets)))
    lines: dict[str, list[object]] = {
        "num_leaves": [len(leaves)],
        "num_cat": [len(sets)],
        "split_feature": [node.feature for node in nodes],
        "split_gain": [1 for _ in nodes],
        "threshold": [next(numbers) if node.categories else repr(float(node.threshold)) for node in nodes],
        "decision_type": [_decision(node) for node in nodes],
        "left_child": [children[k][0] for k in range(len(nodes))],
        "right_child": [children[k][1] for k in range(len(nodes))],
        "leaf_value": [repr(float(leaf.value)) for leaf in leaves],
        "leaf_weight": [1 for _ in leaves],
        "leaf_count": [leaf.count for leaf in leaves],
        "internal_value": [0 for _ in nodes],
        "internal_weight": [1 for _ in nodes],
        "internal_count": [node.count for node in nodes],
    }
    if sets:
        lines["cat_boundaries"] = [sum(len(of) for of in words[:k]) for k in range(len(sets) + 1)]
        lines["cat_threshold"] = [word for of in words for word in of]
    lines |= {"is_linear": [0], "shrinkage": [1]}
    return "\n".join(f"{name}={' '.join(map(str, values))}" for name, values in lines.items())


def _words(categories: Sequence[int]) -> list[int]:
    words = [0] * (max(categories) // 32 + 1)
    for category in categories:
        words[category // 32] |= 1 << (category % 32)
    return words


def _decision(node: Split) -> int:
    if node.categories:
        return 1
    return 2 * node.missing_left + 4 * (NONE, ZERO, NAN).index(node.missing)
