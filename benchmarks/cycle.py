"""A county's batch, Parquet to Parquet, with reasons for everyone: time by step and peak memory.

    python benchmarks/cycle.py [--households 30000 --households 300000]
    python benchmarks/cycle.py --data county-30000 --data county-300000 --models models

Each size is scored by ``relapse score`` in a process of its own. Without ``--data``, counties of five years are
simulated; without ``--models``, a model is trained on a small one, whose cohort is every household not poor. The
first county is scored once before, because a machine's first run compiles. Several blocks run at
the same time: a step's seconds are added up over the threads, and only those of ``all`` are what one waits for.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from relapse_risk.settings import SETTINGS_FILE, Settings

SIZES = (30_000, 300_000)
#: What is to be reached at the largest of ``SIZES`` on two idle processors.
MOST_SECONDS, MOST_GIB = 60, 4
#: Households that the model is trained on if none is given.
TRAINED_ON = 5_000
#: Steps, with the functions that each is made of. A function within another one counts for its own step.
STEPS = {
    "read": ["records.blocks:_Checks._parts"],
    "check": [
        *("records.blocks:conform_tables", "records.blocks:violations_within"),
        "records.blocks:violations_between",
    ],
    "encode": ["features.encode:EncodedTable.__init__"],
    "cohort": ["scoring.ranking:select"],
    "features": ["scoring.score:build_matrix"],
    "scores, contributions": ["model.boosters:Boosters.explain"],
    "words": ["model.reasons:Reasons.to_arrow"],
    "rest of a block": ["scoring.ranking:_score_block"],
    "rank": ["scoring.ranking:_in_order"],
    "write": ["scoring.result_files:_write"],
}


class Clock:
    """Seconds and CPU seconds that steps take, on all threads."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._here = threading.local()
        self._lock = threading.Lock()

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is counted, without the steps within it."""

        @functools.wraps(function)
        def counted(*args: Any, **options: Any) -> Any:
            stack = self._here.__dict__.setdefault("stack", [])
            stack.append([0.0, 0.0])
            began = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **options)
            finally:
                took = time.perf_counter() - began[0], time.thread_time() - began[1]
                within = stack.pop()
                with self._lock:
                    for k in range(2):
                        self.steps[step][k] += took[k] - within[k]
                        if stack:
                            stack[-1][k] += took[k]

        return counted

    def watch(self) -> None:
        """Count the functions of ``STEPS`` from now on."""
        for step, names in STEPS.items():
            for name in names:
                module, _, path = name.partition(":")
                *owners, last = path.split(".")
                owner = functools.reduce(getattr, owners, importlib.import_module(f"relapse_risk.{module}"))
                setattr(owner, last, self.timed(step, getattr(owner, last)))


class Took(NamedTuple):
    """What scoring one county took."""

    households: int
    seconds: float
    cpu: float
    gib: float
    steps: dict[str, list[float]]


def score_here(data: str, models: str, out: str, as_of: str) -> None:
    """Score a county in this process and print what it took."""
    from relapse_risk.cli import app  # noqa: PLC0415

    clock = Clock()
    clock.watch()
    app(
        ["score", "--data", data, "--models", models, "--out", out, "--as-of", as_of, "--json"],
        standalone_mode=False,
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20, clock.steps]) + "\n")


def score(data: Path, models: Path) -> Took:
    """Score a county at the end of its records, in a process of its own."""
    end = Settings.load(data).data.end
    assert end is not None
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "scores.parquet"
        command = [sys.executable, __file__, "--here", str(data), str(models), str(out), end.isoformat()]
        began = time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
        seconds = time.perf_counter() - began
    report, used = (json.loads(line) for line in done.stdout.splitlines())
    return Took(report["households"], seconds, *used)


def relapse(*arguments: object) -> None:
    """Run another command."""
    subprocess.run([sys.executable, "-m", "relapse_risk.cli", *map(str, arguments)], check=True, stdout=sys.stderr)  # noqa: S603


def simulated(folder: Path, households: int) -> Path:
    """Simulate a county."""
    out = folder / f"county-{households}"
    relapse("simulate", "--out", out, "--households", households)
    return out


def trained(folder: Path) -> Path:
    """Train a model whose cohort is every household not poor."""
    data, models = simulated(folder, TRAINED_ON), folder / "models"
    settings = Settings.load(data)
    everyone = settings.cohort.model_copy(update={"previously_poor_only": False})
    once = settings.training.model_copy(update={"origins": 0})
    config = folder / SETTINGS_FILE
    config.write_text(
        settings.model_copy(update={"cohort": everyone, "training": once}).to_toml(), encoding="utf-8"
    )
    relapse("train", "--data", data, "--config", config, "--models", models)
    return models


def report(sizes: list[Took]) -> str:
    """Return the table."""
    rows = [["step", *(cell for took in sizes for cell in (f"{took.households:,}: s", "CPU s"))]]
    rows += [[step, *(f"{of:.2f}" for took in sizes for of in took.steps.get(step, (0.0, 0.0)))] for step in STEPS]
    apart = [took.cpu - sum(cpu for _, cpu in took.steps.values()) for took in sizes]
    rows.append(["start, model, report", *(cell for of in apart for cell in ("", f"{of:.2f}"))])
    rows.append(["**all**", *(f"**{of:.1f}**" for took in sizes for of in (took.seconds, took.cpu))])
    rows.append(["peak GiB", *(cell for took in sizes for cell in (f"{took.gib:.2f}", ""))])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, f"|---|{'--:|' * (len(rows[0]) - 1)}")
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        grown = (last.households / first.households, last.cpu / first.cpu, last.gib / first.gib)
        lines += [
            "",
            "{:.1f} times the households: {:.1f} times the CPU seconds, {:.2f} times the peak.".format(*grown),
        ]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--here"]:
        score_here(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, action="append", help="a size to simulate; may be given again")
    parser.add_argument("--data", type=Path, action="append", help="a records folder instead; may be given again")
    parser.add_argument("--models", type=Path, help="a folder of models; the latest is used")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = asked.models or trained(folder)
        counties = asked.data or [simulated(folder, n) for n in asked.households or SIZES]
        score(counties[0], models)
        print(
            f"{dt.date.today()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; to reach at "  # noqa: DTZ011
            f"{SIZES[-1]:,}: {MOST_SECONDS} s, {MOST_GIB} GiB\n"
        )
        print(report([score(county, models) for county in counties]))


if __name__ == "__main__":
    main()
