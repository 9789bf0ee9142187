"""Puts the site together: pages by hand, pages that live elsewhere in the repository, pages from code."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from docs.generate import api, commands, errors, features, notebooks, settings, tables

ROOT = Path(__file__).resolve().parents[2]
#: Pages from code, by their place in the site.
GENERATED: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands.page,
    "reference/settings.md": settings.page,
    "reference/tables.md": tables.page,
    "reference/features.md": features.page,
    "reference/errors.md": errors.page,
    "reference/api.md": api.page,
}
#: Pages that live elsewhere in the repository: their place there, and in the site.
ELSEWHERE = {
    "README.zh.md": "zh.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/sample/README.md": "sample.md",
    "tests/PROMISES.md": "promises.md",
}


def assemble(out: Path) -> None:
    """Write the source of the site into a folder, anew."""
    shutil.rmtree(out, ignore_errors=True)
    by_hand = {
        path.relative_to(ROOT).as_posix(): path.relative_to(ROOT / "docs").as_posix()
        for path in sorted((ROOT / "docs").rglob("*"))
        if path.suffix in (".md", ".svg", ".css")
    }
    places = by_hand | ELSEWHERE
    for source, place in places.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        _write(out / place, relinked(text, source, places) if source.endswith(".md") else text)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _write(out / "notebooks" / f"{notebook.stem}.md", notebooks.page(notebook))
    for place, made in GENERATED.items():
        _write(out / place, made())


def relinked(text: str, source: str, places: dict[str, str]) -> str:
    """Return a page with its relative links turned into the site's.

    A link to a file of the repository that is no page of the site becomes plain text.

    Parameters
    ----------
    text : str
        The page.
    source : str
        Its place in the repository.
    places : dict of str to str
        Place in the site of every page, by its place in the repository.

    Examples
    --------
    >>> relinked("[run](docs/start.md#first), [how](Makefile)", "README.zh.md",
    ...          {"README.zh.md": "zh.md", "docs/start.md": "start.md"})
    '[run](start.md#first), how'
    """
    here = PurePosixPath(places[source]).parent

    def _link(match: re.Match[str]) -> str:
        words, target, anchor = match["words"], match["target"], match["anchor"] or ""
        if re.match(r"[a-z]+:", target) or not target:
            return match[0]
        there = os.path.normpath(PurePosixPath(source).parent / target)
        in_site = there.removeprefix("docs/") if there.startswith("docs/reference/") else places.get(there)
        if in_site is not None:
            return f"[{words}]({os.path.relpath(in_site, here)}{anchor})"
        return words if (ROOT / there).exists() else match[0]

    return re.sub(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", _link, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
