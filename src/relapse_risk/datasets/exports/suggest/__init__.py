"""A first mapping of an export, from its headers, its contents, and the ids its sources share.

``sample`` takes each source's header and first rows, ``profile`` says what a column holds, ``lexicon`` how near
words come to those of the record tables, ``relations`` how sources hang together. ``scores`` weighs columns,
``match`` assigns them, ``leftover`` adds what is left; ``choose`` decides for the whole export, ``block`` writes
one table's lines and ``render`` the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relapse_risk.datasets.exports.sources import ExportReader
from relapse_risk.datasets.exports.suggest.block import TODO
from relapse_risk.datasets.exports.suggest.choose import choose
from relapse_risk.datasets.exports.suggest.relations import household_ids, source_ids
from relapse_risk.datasets.exports.suggest.render import rendered
from relapse_risk.datasets.exports.suggest.sample import take_sample
from relapse_risk.errors import ImportRefused


@dataclass(frozen=True)
class Suggestion:
    """A first mapping.

    Parameters
    ----------
    text : str
        The mapping file.
    n_todo : int
        Questions it asks.
    """

    text: str
    n_todo: int


def suggest_mapping(src: str) -> Suggestion:
    """Return a first mapping of an export.

    Parameters
    ----------
    src : str
        Folder, file or PostgreSQL URL.

    Raises
    ------
    ImportRefused
        If nothing there is a table.
    """
    with ExportReader(src) as reader:
        samples = [take_sample(reader, place) for place in reader.survey()]
        ids = source_ids(reader, samples)
    if not samples:
        raise ImportRefused(f"{src}: holds no file that can be read; give CSV, Excel or Parquet files")
    text = rendered(choose(samples, household_ids(samples, ids)), Path(src) if Path(src).is_dir() else None)
    return Suggestion(text, text.count(TODO) - 1)
