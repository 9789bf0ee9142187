"""Every block of the documentation runs as it stands: shell blocks line by line, Python blocks as doctests.

A block says what it is: ``sh`` is run here, ``python`` by pytest's doctests, ``text`` is output or a picture. Lines
that cannot be run as they stand are in ``INSTEAD``, with what is run for them and why.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.support.service import ROUTE
from tests.support.small import request_of

from relapse_risk.records import load_records

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "data/**/*.md", "models/*.md", "docs/**/*.md", "tests/*.md")
    for path in ROOT.glob(pattern)
    if not path.relative_to(ROOT).parts[0].startswith(".")
)
SERVE = "relapse serve"
#: Lines that are not run as they stand: what is run for them, None for nothing, and why.
INSTEAD = {
    "make demo": ("relapse demo --out demo --households 600", "the same command on fewer households"),
    "make test": (None, "it would run this test again"),
}
#: The commands as installed, but for fewer trees: what is trained here is not to be good.
RELAPSE = f"""#!{sys.executable}
from functools import partial

if __name__ == "__main__":
    import relapse_risk.training.train as training
    from relapse_risk.cli import main

    training.RelapseModel = partial(training.RelapseModel, n_trees=5, n_boosters=1)
    main()
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    kind: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Return a page's fenced blocks."""
    kind: str | None = None
    start, held = 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"\s*```(\S*)\s*$", line)
        if fence and kind is None:
            kind, start, held = fence[1], number, []
        elif fence and not fence[1]:
            yield Block(page, start, kind or "", tuple(held))
            kind = None
        else:
            held.append(line)
    assert kind is None, f"{page}:{start}: a block without an end"


BLOCKS = [block for page in PAGES for block in blocks(page)]


def commands(block: Block) -> list[str]:
    """Return a shell block's lines, without comments."""
    lines = [re.sub(r"\s+#.*$", "", line).strip() for line in block.lines]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_is_and_something_runs_it(block: Block) -> None:
    assert block.kind in ("sh", "python", "text"), f"{block}: write ```sh, ```python or ```text"
    if block.kind == "python":
        pytest_ini = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
        name = str(block.page.relative_to(ROOT))
        assert name in pytest_ini["testpaths"], f"{block}: name the page in pytest's testpaths, or nothing runs it"
        assert f"--doctest-glob={block.page.name}" in pytest_ini["addopts"]
        assert block.lines[0].startswith(">>> "), f"{block}: only lines with a prompt are run"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the ``relapse`` command."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "relapse").write_text(RELAPSE)
    (folder / "relapse").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_shell_blocks_of_a_page_run_line_by_line(page: Path, path: str, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    for block in blocks(page):
        for command in commands(block) if block.kind == "sh" else ():
            run, _ = INSTEAD.get(command, (command, ""))
            if run is None:
                continue
            if run == SERVE:
                _serve(tmp_path, environment)
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", run],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{block}: {command}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr


def _serve(folder: Path, environment: dict[str, str]) -> None:
    """Start the service, ask it for a household of the demo's county, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*SERVE.split(), "--port", str(port)],
            cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        for _ in range(480):
            assert process.poll() is None, log.read_text()
            if "Started worker" in log.read_text():
                break
            time.sleep(0.25)
        records = load_records(folder / "demo" / "county")
        household = records.table("households")["household_id"][0].as_py()
        body = request_of(records, [household], records.end)
        answer = httpx.post(f"http://127.0.0.1:{port}{ROUTE}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_what_stands_in_for_a_line_is_still_needed_and_does_the_same() -> None:
    told = {command for block in BLOCKS if block.kind == "sh" for command in commands(block)}
    assert set(INSTEAD) <= told, "a line that no page has any more"
    assert all(why for _, why in INSTEAD.values())
    dry = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    stands_in = INSTEAD["make demo"][0]
    assert stands_in
    assert stands_in.partition(" --households")[0] in dry


TEXTS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BENCHMARKS = sorted(set(re.findall(r"python (benchmarks/\w+\.py)([^`]*)`", TEXTS)))


@pytest.mark.parametrize(("script", "arguments"), BENCHMARKS)
def test_a_benchmark_that_is_told_of_takes_the_options_told(script: str, arguments: str) -> None:
    """They run for minutes to hours, so only their command line is tried."""
    done = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("the peers of the benchmarks (extra `bench`) are not installed")
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"--[a-z-]+", arguments):
        assert option in done.stdout
