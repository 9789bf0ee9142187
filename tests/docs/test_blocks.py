"""Every block of the documentation runs as it is written: shell blocks line by line, Python blocks as doctests.

A block says what it is: ``sh`` and ``python`` are run here, from the top of a page to its end, in a folder of the
page's own where ``make demo`` has run; ``text`` is output or a picture, and ``toml`` part of a file.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
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
#: What `make demo` runs, on fewer households: once for all pages.
DEMO = "relapse demo --out demo --households 600"
KINDS = ("sh", "python", "text", "toml")
#: One worker runs all pages, so that the demo is made once.
pytestmark = pytest.mark.xdist_group("blocks")
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
    assert block.kind in KINDS, f"{block}: write one of {', '.join(KINDS)} after the fence"
    if block.kind == "python":
        assert block.lines[0].startswith(">>> "), f"{block}: only lines with a prompt are run"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the ``relapse`` command."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "relapse").write_text(RELAPSE)
    (folder / "relapse").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def environment(path: str) -> dict[str, str]:
    """The environment of shell blocks."""
    return {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture(scope="module")
def demo(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where ``make demo`` has run."""
    folder = tmp_path_factory.mktemp("demo")
    _run(DEMO, folder, environment, "make demo")
    return folder / "demo"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: Path, environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    runnable = [block for block in blocks(page) if block.kind in ("sh", "python")]
    if not runnable:
        return
    (tmp_path / "data").symlink_to(ROOT / "data")
    if any("demo/" in line or line == SERVE for block in runnable for line in block.lines):
        shutil.copytree(request.getfixturevalue("demo"), tmp_path / "demo")
    names: dict[str, object] = {}
    for block in runnable:
        if block.kind == "python":
            monkeypatch.chdir(tmp_path)
            _examples(block, names)
            continue
        for command in commands(block):
            if command.startswith("make "):
                _run(f"make -n {command.removeprefix('make ')}", ROOT, environment, f"{block}: {command}")
            elif command.startswith(SERVE):
                _serve(command, tmp_path, environment)
            else:
                _run(command, tmp_path, environment, f"{block}: {command}")


def _run(command: str, folder: Path, environment: dict[str, str], what: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{what}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr


def _examples(block: Block, names: dict[str, object]) -> None:
    """Run a block's examples; the names they make are there in the page's next blocks."""
    text = "\n".join(block.lines) + "\n"
    test = doctest.DocTestParser().get_doctest(text, names, str(block), str(block.page), block.line)
    out: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed = doctest.DocTestRunner(optionflags=flags).run(test, out=out.append, clear_globs=False).failed
    names.update(test.globs)
    assert not failed, "".join(out)


def _serve(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Start the service, ask it for a household of the demo's county, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command.split(), "--port", str(port)],
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


def test_make_demo_is_the_demo_that_runs_here() -> None:
    dry = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert DEMO.partition(" --households")[0] in dry


TEXTS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BENCHMARKS = sorted(set(re.findall(r"python (benchmarks/\w+\.py)([^`]*)`", TEXTS)))


@pytest.mark.parametrize(("script", "arguments"), BENCHMARKS)
def test_a_benchmark_named_on_a_page_takes_the_options_named(script: str, arguments: str) -> None:
    """They run for minutes to hours, so only their command line is tried."""
    done = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("the peers of the benchmarks (extra `bench`) are not installed")
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"--[a-z-]+", arguments):
        assert option in done.stdout
