"""The notebooks run unchanged, from top to bottom, on the county they simulate or on a folder of records."""

from __future__ import annotations

import ast
import os
import sys
from ast import literal_eval
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tests.support.small import Small

from relapse_risk import load_model
from relapse_risk.records import write_folder

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STRIP = "jupyter nbconvert --clear-output --inplace notebooks/*.ipynb"
#: Run by IPython as the kernel starts: few trees, for what is trained here is not to be good; warnings are errors.
STARTUP = """
import warnings
from functools import partial

import relapse_risk.training.train as training

training.RelapseModel = partial(training.RelapseModel, n_trees=5, n_boosters=1)
warnings.simplefilter("error")
for package in ("ipykernel", "IPython", "jupyter_client", "traitlets", "zmq"):
    warnings.filterwarnings("ignore", module=package)
"""


def read(notebook: Path) -> Any:
    return nbformat.read(notebook, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook: Path, tmp_path: Path, folder: str = "") -> list[Any]:
    """Run a notebook in a folder of its own and return its code cells with their outputs."""
    made = read(notebook)
    start = code_cells(made)[1]
    start.source = start.source.replace('FOLDER = ""', f"FOLDER = {folder!r}", 1)
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-few-trees.py").write_text(STARTUP)
    (tmp_path / "notebooks").mkdir()
    environment = {
        **os.environ,
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    resources = {"metadata": {"path": str(tmp_path / "notebooks")}}
    NotebookClient(made, timeout=600, kernel_name="python3", resources=resources).execute(env=environment)
    return code_cells(made)


def data(cell: Any, kind: str) -> str:
    """Return what a cell shows, of one kind."""
    return "".join(output.data[kind] for output in cell.outputs if kind in output.get("data", {}))


def of(cells: list[Any], words: str) -> Any:
    """Return the first cell whose code has some words."""
    return next(cell for cell in cells if words in cell.source)


def check_outputs(cells: list[Any]) -> None:
    """After the imports, every cell that ends in an expression shows something: a plot, a table with rows."""
    for cell in cells[1:]:
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.source
        last = ast.parse(cell.source).body[-1]
        if not isinstance(last, ast.Expr):
            continue
        assert cell.outputs, cell.source
        if ast.unparse(last).startswith("plot_"):
            assert len(data(cell, "image/png")) > 20_000, cell.source
        elif data(cell, "text/html"):
            assert data(cell, "text/html").count("<tr") > 1, cell.source


def test_there_are_notebooks_and_their_outputs_are_not_kept() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == ["01_explore", "02_features", "03_retrain"]
    for notebook in NOTEBOOKS:
        for cell in code_cells(read(notebook)):
            assert not cell.outputs, f"{notebook.name} has outputs, which may show households. Clear them: {STRIP}"
            assert cell.execution_count is None, f"{notebook.name}: clear it: {STRIP}"


def test_all_start_from_the_one_line_that_a_user_changes() -> None:
    starts = {code_cells(read(notebook))[1].source for notebook in NOTEBOOKS}
    assert len(starts) == 1
    assert starts.pop().startswith('FOLDER = ""  #')


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_calls_the_library_and_computes_nothing_itself(notebook: Path) -> None:
    for cell in code_cells(read(notebook)):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.ClassDef), cell.source


def test_explore_shows_tables_a_household_the_cohort_and_the_outcomes(tmp_path: Path) -> None:
    cells = run(NOTEBOOKS[0], tmp_path)
    check_outputs(cells)
    assert "incomes" in data(of(cells, "summarise(records)"), "text/html")
    removed = of(cells, "removed.tail")
    assert "poor at the latest status" in data(removed, "text/html")
    counts = literal_eval(data(of(cells, "label_counts(records"), "text/plain"))
    assert counts["positive"] > 0
    assert counts["immature"] > 0


def test_features_shows_a_feature_and_whether_it_helps(tmp_path: Path) -> None:
    cells = run(NOTEBOOKS[1], tmp_path)
    check_outputs(cells)
    assert "medical_paid_12m" in data(of(cells, "find_features("), "text/html")
    (described,) = of(cells, "describe_feature(").outputs
    assert "expenses.self_paid_yuan, where kind is medical" in described.text
    compared = data(of(cells, "comparison.summary"), "text/html")
    for variant in ("all features, another seed", "without balance", "with largest bill"):
        assert variant in compared


def test_retrain_compares_with_todays_rules_scores_the_next_round_and_writes_a_bundle(tmp_path: Path) -> None:
    cells = run(NOTEBOOKS[2], tmp_path)
    check_outputs(cells)
    assert literal_eval(data(of(cells, "result.bundle.info"), "text/plain"))["positives"] > 0
    judged = data(of(cells, 'scores.xs("recall"'), "text/html")
    assert "lowest balance to line" in judged
    (bundle,) = (tmp_path / "models").iterdir()
    assert bundle.name in of(cells, "print(result.folder").outputs[0].text
    load_model(bundle)
    assert data(of(cells, "ranked("), "text/html").count("<tr") == 9
    reasons = data(of(cells, 'riskiest["reasons"]'), "text/html")
    assert "通常" in reasons
    assert "usually" in reasons


def test_a_notebook_runs_on_a_folder_of_records(small: Small, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    tables = {name: small.records.table(name) for name in small.records.present}
    write_folder(tables, small.records.settings, folder)
    cells = run(NOTEBOOKS[0], tmp_path, str(folder))
    check_outputs(cells)
    assert data(cells[1], "text/plain") == repr(small.records)
