"""Trees as tables.

Which leaf a row falls into, and what TreeSHAP gives each feature of the tree, depends on nothing but the answers of
its inner nodes. A tree of 7 leaves has 6 of them, so 64 patterns of answers: its leaf values and contributions are
worked out once for each. A row then costs a comparison for each node, and a look-up for each feature a tree uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from relapse_risk.model.trees.kernels import fill_tables, look_up
from relapse_risk.model.trees.model_text import ParsedTrees, UnknownTrees, parse

#: Inner nodes of a tree, at most: a pattern of answers is one byte.
MOST_NODES = 8
#: Bytes of all tables, at most. The model's usual 1,600 trees of 7 leaves take 5 MB.
MOST_BYTES = 256 * 2**20

TREE = np.dtype(
    [
        ("first_node", np.int64),
        ("n_nodes", np.int64),
        ("first_used", np.int64),
        ("n_used", np.int64),
        ("first_entry", np.int64),
        ("booster", np.int64),
    ]
)


@dataclass(frozen=True, eq=False)
class TreeTables:
    """The mean of some boosters of small trees, as tables.

    Raw scores are the same bits as LightGBM's; contributions differ from its ``pred_contrib`` in the last bits, as
    they are added in another order. A row's numbers do not depend on the rows evaluated with it.

    Parameters
    ----------
    n_features, n_boosters : int
        Columns of the matrix; boosters.
    base : float
        The mean over the training rows: what no feature changes.
    trees : ndarray of TREE, shape (n_trees,)
        Where each tree's nodes, features and table are.
    nodes : ndarray of NODE
        Inner nodes of all trees.
    words : ndarray of uint32
        Bit sets of categories.
    used : ndarray of int32
        Features that each tree uses.
    table : ndarray of float64
        Contributions and leaf values; see ``fill_tables``.
    """

    n_features: int
    n_boosters: int
    base: float
    trees: npt.NDArray[Any]
    nodes: npt.NDArray[Any]
    words: npt.NDArray[np.uint32]
    used: npt.NDArray[np.int32]
    table: npt.NDArray[np.float64]

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> TreeTables:
        """Make tables of boosters in LightGBM's text format.

        Raises
        ------
        UnknownTrees
            If a tree has more than ``MOST_NODES`` inner nodes, the tables would take more than ``MOST_BYTES``, or a
            text holds something that is not read here.
        """
        parsed = parse(texts)
        if parsed.n_nodes.max() > MOST_NODES:
            raise UnknownTrees(f"a tree of {parsed.n_nodes.max() + 1} leaves")
        place, used, n_used = _used_features(parsed)
        entries = (n_used + 1) << parsed.n_nodes
        if entries.sum() * 8 > MOST_BYTES:
            raise UnknownTrees(f"{len(parsed.n_nodes)} trees, which take {entries.sum() * 8:,} bytes")
        trees = np.empty(len(parsed.n_nodes), TREE)
        trees["n_nodes"], trees["n_used"], trees["booster"] = parsed.n_nodes, n_used, parsed.booster
        trees["first_node"] = np.cumsum(parsed.n_nodes) - parsed.n_nodes
        trees["first_used"] = np.cumsum(n_used) - n_used
        trees["first_entry"] = np.cumsum(entries) - entries
        table, expected = np.zeros(entries.sum()), np.empty(len(trees))
        fill_tables(trees, parsed.nodes, parsed.leaves, place, table, expected)
        # np.add.at adds in order, as LightGBM does.
        of_boosters = np.zeros(len(texts))
        np.add.at(of_boosters, parsed.booster, expected)
        base = float(np.cumsum(of_boosters)[-1] / len(texts))
        return cls(parsed.n_features, len(texts), base, trees, parsed.nodes, parsed.words, used, table)

    def raw_scores(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the raw score of each row; fastest for ``ROWS`` rows at a time."""
        raw = np.empty(len(rows))
        self._look_up(rows, np.empty((0, len(rows))), raw)
        return raw

    def contributions(
        self, rows: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return contributions, shape (n_features, n), and raw scores; fastest for ``ROWS`` rows at a time."""
        contributions, raw = np.empty((self.n_features, len(rows))), np.empty(len(rows))
        self._look_up(rows, contributions, raw)
        return contributions, raw

    def _look_up(
        self,
        rows: npt.NDArray[np.float32],
        contributions: npt.NDArray[np.float64],
        raw: npt.NDArray[np.float64],
    ) -> None:
        columns = np.ascontiguousarray(rows.T)
        parts = (self.trees, self.nodes, self.words, self.used, self.table)
        look_up(*parts, columns, self.n_boosters, contributions, raw)


def _used_features(
    parsed: ParsedTrees,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the place of each node's feature among those its tree uses, these features, and their numbers."""
    place: list[int] = []
    used: list[int] = []
    n_used = []
    features = parsed.nodes["feature"].tolist()
    first = 0
    for n in parsed.n_nodes.tolist():
        places: dict[int, int] = {}
        place.extend(places.setdefault(feature, len(places)) for feature in features[first : first + n])
        used.extend(places)
        n_used.append(len(places))
        first += n
    return np.array(place, np.int32), np.array(used, np.int32), np.array(n_used, np.int64)
