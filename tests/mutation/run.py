"""Mutate lines that decide something, one at a time, and list the mutants that no test notices.

    make mutants                                        # a sample of every module below
    python -m tests.mutation.run --sample 1000 model/calibration_split.py

cosmic-ray makes the mutants, each in a copy of the checkout; the tests listed for a module run on it until one
fails. A mutant that survives is printed with its line: write the test that fails on it, or give in ``EQUIVALENT``
the reason why it changes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome, WorkItem, WorkResult

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/relapse_risk"
_COHORT = ("spec/test_cohort_and_labels.py", "property/test_labels.py", "property/test_cycles.py")
_JUDGING = ("spec/test_judging.py", "spec/test_blindness.py")
_SCORES = ("unit/test_reach.py", "spec/test_blindness.py", "serve/test_answers.py", "unit/test_spreadsheet.py")
_RULES = ("unit/test_records.py", "property/test_ids.py", "property/test_request_rules.py")
_IMPORT = (
    *("unit/test_county_accounts.py", "unit/test_county_bills.py", "unit/test_county_import.py"),
    "unit/test_member_export.py",
)
_TREES = ("spec/test_tree_contributions.py", "property/test_trees.py", "unit/test_boosters.py")
#: Modules to mutate, and the tests that should notice.
TESTS: dict[str, tuple[str, ...]] = {
    "cohorts.py": (*_COHORT, "unit/test_reach.py"),
    "labelling.py": _COHORT,
    "training/splits.py": _JUDGING,
    "training/metrics.py": ("spec/test_judging.py",),
    "training/evaluate.py": _JUDGING,
    "model/calibration_split.py": ("spec/test_calibration.py",),
    "model/calibration.py": ("spec/test_calibration.py",),
    "model/estimator.py": ("spec/test_calibration.py", "unit/test_estimator.py"),
    "model/boosters.py": ("unit/test_boosters.py", "unit/test_estimator.py", "parity/test_determinism.py"),
    "model/grouping.py": ("spec/test_reasons.py", "property/test_trees.py"),
    "model/trees/model_text.py": _TREES,
    "model/trees/kernels.py": _TREES,
    "model/trees/tables.py": _TREES,
    "model/trees/rows.py": _TREES,
    "model/wording.py": ("spec/test_reasons.py",),
    "model/reasons.py": ("spec/test_reasons.py", "serve/test_answers.py"),
    "model/inputs.py": ("spec/test_reasons.py", "faults/test_bundle.py"),
    "model/bundle.py": ("faults/test_bundle.py", "unit/test_cli.py"),
    "scoring/score.py": (*_SCORES, "parity/test_parity.py"),
    "scoring/ranking.py": _SCORES,
    "scoring/reach.py": _SCORES,
    "scoring/result_files.py": _SCORES,
    "records/rules.py": _RULES,
    "records/rules_between.py": _RULES,
    "records/validate.py": _RULES,
    "records/groups.py": ("unit/test_groups.py", *_RULES),
    "datasets/exports/rows.py": _IMPORT,
    "datasets/exports/pseudonyms.py": ("unit/test_member_export.py",),
    "datasets/exports/gather.py": ("property/test_same_key.py", *_IMPORT),
    "datasets/exports/merge.py": ("property/test_same_key.py", "unit/test_county_reimport.py"),
}
#: Kinds of mutants: one of several similar ones; annotations and messages are not mutated.
OPERATORS = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("NumberReplacer", "ZeroIterationForLoop", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("ReplaceUnaryOperator_Not_", "ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not"),
    *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_Div"),
    *("ReplaceBinaryOperator_Div_Mul", "ReplaceBinaryOperator_BitAnd_BitOr"),
    *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
    *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt"),
    *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt"),
    *("ReplaceComparisonOperator_Lt_GtE", "ReplaceComparisonOperator_Gt_LtE"),
    *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
)
#: Lines whose mutants change nothing that a user could see, with the reason.
EQUIVALENT: dict[str, str] = {
    "filled = np.where(np.isnan(score), np.nanmin(score, initial=0.0) - 1.0, score)": "any smaller number will do",
    "_LARGEST_SHIFT = 20.0": "it only bounds the search",
    "stream = make_stream([Statistic(_STATUS, (None, 0), kind) for kind in kinds])": "the windows are given apart",
}


@dataclass(frozen=True)
class Mutant:
    """A mutant that no test noticed."""

    module: str
    line: int
    operator: str
    text: str


def wanted(item: WorkItem, lines: list[str]) -> bool:
    """Return whether a mutant is of one of the kinds, in a line that is not excluded."""
    mutation = item.mutations[0]
    text = lines[mutation.start_pos[0] - 1].strip()
    named = any(mutation.operator_name.split("/")[1].startswith(name) for name in OPERATORS)
    decides = not text.startswith(("import ", "from ", "assert ", "def ", '"', 'f"', "#")) and "-> " not in text
    return named and decides and text not in EQUIVALENT


def mutants(module: str, copy: Path, sample: int) -> tuple[int, list[Mutant]]:
    """Mutate a module in a copy of the checkout; return how many mutants ran, and those that survived."""
    file = f"{PACKAGE}/{module}"
    lines = (copy / file).read_text(encoding="utf-8").splitlines()
    tests = " ".join(f"tests/{test}" for test in TESTS[module] if (copy / "tests" / test).exists())
    config, session = copy / "mutants.toml", copy / "mutants.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "{file}"\ntimeout = 300.0\nexcluded-modules = []\n'
        f'test-command = "{sys.executable} -m pytest -x -q -p no:cacheprovider -p no:xdist {tests}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{copy / 'src'}{os.pathsep}{copy / 'serve'}{os.pathsep}{copy}",
        "HYPOTHESIS_PROFILE": "quick",
    }
    program = Path(sys.executable).with_name("cosmic-ray")

    def cosmic_ray(*arguments: str) -> None:
        subprocess.run([program, *arguments], cwd=copy, env=environment, check=True, capture_output=True)

    cosmic_ray("init", config.name, session.name)
    with use_db(str(session), WorkDB.Mode.open) as db:
        items = sorted(
            (item for item in db.work_items if wanted(item, lines)),
            key=lambda item: hashlib.sha256(str(item.mutations[0]).encode()).hexdigest(),
        )
        chosen = {item.job_id for item in items[:sample]}
        for item in list(db.work_items):
            if item.job_id not in chosen:
                db.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
    cosmic_ray("exec", config.name, session.name)
    with use_db(str(session), WorkDB.Mode.open) as db:
        results = dict(db.results)
        lived = [
            Mutant(module, m.start_pos[0], m.operator_name.split("/")[1], lines[m.start_pos[0] - 1].strip())
            for item in db.work_items
            if item.job_id in chosen and str(getattr(results[item.job_id].test_outcome, "value", "")) == "survived"
            for m in item.mutations
        ]
    return len(chosen), sorted(lived, key=lambda mutant: mutant.line)


def copies(n: int, folder: Path) -> Iterator[Path]:
    """Yield copies of the files that git tracks, with their changes."""
    files = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    )
    for number in range(n):
        copy = folder / str(number)
        for name in filter(None, files.stdout.decode().split("\0")):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
        yield copy


def main() -> None:
    """Run the mutants and print those that survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[*TESTS, []], help="all of them otherwise")
    parser.add_argument("--sample", type=int, default=12, help="mutants of a module, at most; always the same ones")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    modules = asked.modules or list(TESTS)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.workers) as pool:
        free = list(copies(asked.workers, Path(folder)))

        def one(module: str) -> tuple[str, int, list[Mutant]]:
            copy = free.pop()
            try:
                ran, lived = mutants(module, copy, asked.sample)
            finally:
                free.append(copy)
            print(f"{module}: {ran - len(lived)} of {ran} mutants noticed", flush=True)
            for mutant in lived:
                print(f"    line {mutant.line}, {mutant.operator}: {mutant.text}", flush=True)
            return module, ran, lived

        runs = list(pool.map(one, modules))
    ran, lived = sum(n for _, n, _ in runs), sum(len(survivors) for _, _, survivors in runs)
    print(f"{ran - lived} of {ran} mutants noticed")
    raise SystemExit(1 if lived else 0)


if __name__ == "__main__":
    main()
