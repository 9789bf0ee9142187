"""The reference of the site names all there is: every command, setting, table, feature, error and public name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
import typer.main
from docs.generate import commands as commands_page
from docs.generate import docstrings, settings
from docs.generate.assemble import ELSEWHERE, GENERATED, assemble, relinked
from docs.generate.markdown import cell

import relapse_risk
import relapse_risk.datasets
import relapse_risk.explore
import relapse_risk.plots
from relapse_risk.cli import app
from relapse_risk.datasets.exports.reject_reasons import RAW_RULES
from relapse_risk.errors import RelapseError, exit_codes
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.definitions import DEFINITIONS
from relapse_risk.records.tables import TABLES
from relapse_risk.records.violations import RULES
from relapse_risk.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the site, assembled."""
    out = tmp_path_factory.mktemp("site")
    assemble(out)
    return out


@pytest.fixture(scope="module")
def read(site: Path) -> Any:
    """A function that returns a reference page, or the part of it under a heading."""

    def _read(name: str, heading: str = "") -> str:
        text = (site / "reference" / f"{name}.md").read_text(encoding="utf-8")
        if not heading:
            return text
        level = heading.split(" ", maxsplit=1)[0]
        start = text.index(f"\n{heading}\n") + 1
        later = re.search(rf"^#{{1,{len(level)}}} ", text[start + len(heading) :], re.MULTILINE)
        return text[start : start + len(heading) + later.start()] if later else text[start:]

    return _read


def commands(name: str = "relapse", command: Any = None) -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", {})
    if not inner:
        yield name, command
    for word, one in inner.items():
        yield from commands(f"{name} {word}", one)


def test_every_command_with_every_option_its_default_and_its_help(read: Any) -> None:
    found = dict(commands())
    assert {"relapse demo", "relapse import county", "relapse serve"} <= set(found)
    for name, command in found.items():
        part = read("commands", f"## {name}")
        for parameter in command.params:
            assert cell(parameter.help or "") in part, (name, parameter.name)
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{option}`" in part or f"`{option.upper()}" in part, (name, option)
            if isinstance(parameter.default, (int, str, Path)) and not isinstance(parameter.default, bool):
                assert f"`{parameter.default}`" in part, (name, parameter.name)


class Order(Enum):
    """What an option can choose from."""

    BY_RISK = "risk"
    BY_NAME = "name"


def table_of_options(monkeypatch: pytest.MonkeyPatch, function: Any) -> str:
    """Return the commands' page of a program with one command."""
    program = typer.Typer()
    program.command()(function)
    monkeypatch.setattr("docs.generate.commands.app", program)
    return commands_page.page()


def test_an_option_of_choices_shows_them_and_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(order: Annotated[Order, typer.Option(help="Order.")] = Order.BY_NAME) -> None:
        """List."""

    assert r"| `--order` | `risk\|name` | `name` | Order. |" in table_of_options(monkeypatch, one)


def test_an_option_of_an_unknown_type_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(key: Annotated[UUID | None, typer.Option(help="Key.")] = None) -> None:
        """List."""

    with pytest.raises(RelapseError, match=r"--key takes .*UUID.*Add it to _WORDS in docs/generate/commands\.py"):
        table_of_options(monkeypatch, one)


def test_every_setting_with_its_default_and_meaning(read: Any) -> None:
    found = list(settings.sections())
    assert {name for name, _ in found} >= {*Settings.model_fields} - {"items"} | {"line.steps", "items.NAME"}
    for name, model in found:
        part = read("settings", f"## {name}")
        for key in model.model_fields:
            meaning = docstrings.read(model).meaning(key)
            assert meaning, f"{model.__name__}.{key} has no meaning in the docstring"
            assert f"`{key}`" in part, (name, key)
    cycle = read("settings", "## cycle")
    assert "| `months` | whole number, at least 1, at most 24 | `2` | Length of a round. |" in cycle


def test_every_key_that_a_settings_file_can_hold_is_listed(read: Any) -> None:
    full = Settings.model_validate(
        {
            "line": {"steps": [{"since": "2024-01-01", "yuan": 1.0, "area": "x"}]},
            "items": {"x": {"zh": "x", "en": "x"}},
        }
    )
    text = read("settings")
    for section, keys in full.model_dump().items():
        for key in keys if section != "items" else keys["x"]:
            assert f"`{key}`" in text, (section, key)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_a_table_with_both_words_and_its_codes(read: Any, table: str) -> None:
    part = read("tables", f"## {table}")
    for name, column in TABLES[table].columns.items():
        row = next(line for line in part.splitlines() if line.startswith(f"| `{name}` "))
        assert column.zh in row
        assert cell(column.en) in row
        if column.codes is not None:
            codes = read("tables", f"### Codes: {column.codes.name}")
            for code, label in column.codes.labels.items():
                assert f"| `{code}` | {label.zh} | {cell(label.en)} |" in codes


def test_every_feature_and_every_word_of_its_definition(read: Any) -> None:
    text, risk = read("features"), {1: "rises", -1: "falls", 0: ""}
    for feature in catalogue():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{feature.name}` "))
        for said in (feature.label.zh, feature.label.en, feature.aggregation.value, feature.unit):
            assert cell(said) in row, feature.name
        assert f"| {risk[feature.monotone]} |" in row, feature.name
    for kind, word, definition in DEFINITIONS:
        assert f"| `{word}` | {cell(definition)} |" in read("features", f"### Words: {kind}")


def test_every_exit_code_and_every_rule(read: Any) -> None:
    exits = read("errors", "## Exit codes")
    for code, name, meaning in exit_codes():
        assert f"| {code} | {f'`{name}`' if name else ''} | {cell(meaning)} |" in exits
    assert all(f"`{error.__name__}`" in exits for error in RelapseError.__subclasses__())
    assert all(
        f"| `{rule}` | {cell(words)} |" in read("errors", "## Rules of records") for rule, words in RULES.items()
    )
    raw = read("errors", "## Rules of raw exports")
    assert all(f"| `{rule}` | {label.zh} | {cell(label.en)} |" in raw for rule, label in RAW_RULES.items())


def test_every_public_name_with_its_parameters(read: Any) -> None:
    for module in (relapse_risk, relapse_risk.datasets, relapse_risk.explore, relapse_risk.plots):
        for name in module.__all__:
            part = read("api", f"### {name}")
            doc = docstrings.read(getattr(module, name))
            assert doc.summary.split("``")[0] in " ".join(part.split())
            for entry in doc.entries("Parameters"):
                assert all(f"`{parameter}`" in part for parameter in entry.names), (name, entry)


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page(site: Path) -> None:
    def _pages(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            (value,) = entry.values()
            yield from [value] if isinstance(value, str) else _pages(value)

    named = list(_pages(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]))
    assert sorted(named) == sorted(path.relative_to(site).as_posix() for path in site.rglob("*.md"))
    assert {*GENERATED, *ELSEWHERE.values()} <= set(named)


def test_a_link_leads_to_the_page_of_the_site_or_becomes_text() -> None:
    places = {"docs/guides/a.md": "guides/a.md", "tests/PROMISES.md": "promises.md"}
    text = (
        "[p](../../tests/PROMISES.md#time) [f](../reference/tables.md) [m](../../Makefile) [w](https://x.org/y.md)"
    )
    assert relinked(text, "docs/guides/a.md", places) == (
        "[p](../promises.md#time) [f](../reference/tables.md) m [w](https://x.org/y.md)"
    )
    assert relinked("[gone](nowhere.md)", "docs/guides/a.md", places) == "[gone](nowhere.md)"


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(site: Path, tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="the site's builder (extra `docs`) is not installed")
    shutil.copytree(site, tmp_path / "build" / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(GENERATED)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(?:https?:)?//[^\" >]+", text)
        loaded += re.findall(r"<link\b[^>]*\bhref=\"?(?:https?:)?//[^\" >]+", text)
        assert not loaded, f"{page.name} loads {loaded}"
