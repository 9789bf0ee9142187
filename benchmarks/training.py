"""Time, memory and quality of training: the whole procedure by step, and what sampling and fewer boosters cost.

    python benchmarks/training.py FOLDER... [--most-negatives 500000]
    python benchmarks/training.py --quality FOLDER [--share 0.1] [--boosters 2]
    python benchmarks/training.py --quality --panel FILE... [--horizon 13]

The first form prints a Markdown table for each records folder: ``relapse train`` by step, beside LightGBM as it
comes, fitted once on the same rows. Peak memory is that of the process so far.

With ``--quality``, models are trained at the same rolling origins on all rows with all boosters, and on all
positives and a share of the negatives with fewer boosters. Both are judged on every household of the test dates:
ranking figures with paired 95 % intervals (households drawn anew), and how many were foreseen and came true.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightgbm import LGBMClassifier

from relapse_risk import Records, RelapseModel
from relapse_risk.datasets.eph import import_eph
from relapse_risk.records.blocks import RecordBlocks, open_records
from relapse_risk.settings import TrainingSettings
from relapse_risk.training.dataset import Dataset, sampled, with_features
from relapse_risk.training.evaluate import GROUPS, Scorer, scored_by_block
from relapse_risk.training.intervals import paired_table
from relapse_risk.training.rows import labelled_rows
from relapse_risk.training.splits import mature_dates, rolling_origins
from relapse_risk.training.train import train, unfitted

BEFORE, AFTER = "all rows", "sampled"


class Steps:
    """Steps by name, and what each took: seconds on the clock, of processors, and GiB at the peak."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, float]] = []
        self._name = ""
        self._begun = (0.0, 0.0)

    def __call__(self, name: str) -> None:
        """Begin a step; an empty name ends the last."""
        now = time.perf_counter(), time.process_time()
        if self._name:
            wall, cpu = (end - begin for end, begin in zip(now, self._begun, strict=True))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            self.rows.append((self._name, wall, cpu, peak))
        self._name, self._begun = name, now

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is done inside as a step."""
        self(name)
        yield
        self("")


def with_training(records: Records | RecordBlocks, **changed: int) -> Records | RecordBlocks:
    """Return records under other settings of training."""
    training = records.settings.training.model_copy(update=changed)
    return records.with_settings(records.settings.model_copy(update={"training": training}))


def learned_from(records: Records | RecordBlocks) -> Dataset:
    """Return the rows that a model is fitted on."""
    rows, counts = labelled_rows(records, mature_dates(records))
    learned, share = sampled(rows, records.settings.training)
    return with_features(records, learned, counts=counts, share=share)


def measure(folder: Path, most_negatives: int) -> None:
    """Print the table of one folder."""
    steps = Steps()
    records = with_training(open_records(folder), most_negatives=most_negatives)
    begun = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as models:
        result = train(records, models, on_progress=steps)
    steps("")
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    peak = steps.rows[-1][-1]
    with steps.step("once more: labels and features of the same rows"):
        data = learned_from(records)
    with steps.step("peer: LightGBM as it comes, fitted once on the same rows"):
        LGBMClassifier(verbose=-1, random_state=0).fit(data.X, data.y, sample_weight=data.weight)
    info = result.bundle.info.training
    print(
        f"\n{folder}: {info.households:,} households, {len(mature_dates(records))} dates, {info.rows:,} rows, "
        f"{info.positives:,} positive; fitted on {len(data):,}; {os.cpu_count()} processors\n"
    )
    print("| step | wall | CPU | peak |\n|---|---|---|---|")
    for name, *used in [*steps.rows[:-2], ("relapse train", wall, cpu, peak), *steps.rows[-2:]]:
        print(f"| {name} | {used[0]:.1f} s | {used[1]:.1f} s | {used[2]:.2f} GiB |")


def compare(title: str, records: Records | RecordBlocks, share: float, boosters: int) -> None:
    """Print what a share of the negatives and fewer boosters change."""
    settings = records.settings
    dates = mature_dates(records)
    rows, counts = labelled_rows(records, dates)
    negatives = int((rows.to_train & ~rows.y).sum())
    sampling = TrainingSettings(most_negatives=max(round(share * negatives), 100), seed=settings.training.seed)
    learned, kept = sampled(rows, sampling)
    parts = {
        BEFORE: with_features(records, rows.take(rows.to_train), counts=counts),
        AFTER: with_features(records, learned, counts=counts, share=kept),
    }
    scorers: dict[dt.date, Scorer] = {}
    seconds = dict.fromkeys(parts, 0.0)
    for origin in rolling_origins(dates, settings.outcome, settings.training.origins):
        models = {}
        for name, data in parts.items():
            model = unfitted(settings, data.features)
            if name == AFTER:
                model.set_params(n_boosters=min(boosters, model.n_boosters))
            begun = time.process_time()
            models[name] = data.fit(model, data.on(origin.train) & data.to_train)
            seconds[name] += time.process_time() - begun
        scorers[origin.test] = _scores(models)
    predictions = scored_by_block(records, parts[BEFORE].features, rows, scorers)
    print(
        f"\n{title}: {kept:.1%} of {negatives:,} negatives and {boosters} boosters, beside all of both; "
        f"{len(scorers)} origins; fitted in {seconds[AFTER]:.0f} s of processors, all in {seconds[BEFORE]:.0f} s\n"
    )
    for group, flag in GROUPS.items():
        judged = predictions[predictions[flag]]
        print(f"\n{group}: {len(judged):,} rows, {int(judged['label'].sum()):,} came true; foreseen", end=" ")
        print(", ".join(f"{name} {judged[name].sum():.1f}" for name in parts))
        print("\n| figure | all rows | sampled | difference | 95 % |\n|---|---|---|---|---|")
        for figure, before, after, difference, interval in paired_table(
            judged, BEFORE, AFTER, settings.training.capacity
        ):
            print(f"| {figure} | {before:.4f} | {after:.4f} | {difference} | {interval} |")


def _scores(models: dict[str, RelapseModel]) -> Scorer:
    return lambda of, rows: {name: model.predict_proba(of.X[rows])[:, 1] for name, model in models.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--most-negatives", type=int, default=TrainingSettings().most_negatives)
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--boosters", type=int, default=TrainingSettings().origin_boosters)
    parser.add_argument("--panel", action="store_true", help="the paths are files of the panel")
    parser.add_argument("--horizon", type=int, default=13)
    asked = parser.parse_args()
    if asked.panel:
        imported = import_eph(asked.paths, asked.horizon)
        panel = Records.from_tables(imported.tables, imported.settings)
        compare(f"panel, {asked.horizon} months", panel, asked.share, asked.boosters)
        return
    for folder in asked.paths:
        if asked.quality:
            compare(str(folder), open_records(folder), asked.share, asked.boosters)
        else:
            measure(folder, asked.most_negatives)


if __name__ == "__main__":
    main()
