"""The list of promises names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
LINES = [line for line in (TESTS / "PROMISES.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
PROMISES = [line for line in LINES if not line.startswith("| promise |")]


@pytest.mark.parametrize("line", PROMISES, ids=lambda line: line.split(" | ")[0].strip("| "))
def test_a_promise_names_tests_that_are_there(line: str) -> None:
    _, shown_by = line.strip("| ").split(" | ")
    named = re.fullmatch(r"`[^`]+`(<br>`[^`]+`)*", shown_by)
    assert named, "tests, each between backticks, as `folder/file.py::test_name`"
    for name in re.findall(r"`([^`]+)`", shown_by):
        file, _, test = name.partition("::")
        module = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        there = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
        assert test in there, f"{file} has no {test}: name the test that shows it now, or take the promise out"


def test_the_list_is_not_empty() -> None:
    assert len(PROMISES) >= 30
