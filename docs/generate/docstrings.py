"""Reads numpydoc: a summary, sections, and the entries of those that list names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

#: Sections whose lines are entries: a name, perhaps a type, and an indented text.
LISTS = ("Parameters", "Returns", "Yields", "Raises", "Attributes", "Warns")


@dataclass(frozen=True)
class Entry:
    """One entry of a section.

    Parameters
    ----------
    names : tuple of str
        The names before the colon.
    kind : str
        The type after it; empty where there is none.
    text : str
        What it means.
    """

    names: tuple[str, ...]
    kind: str
    text: str


@dataclass(frozen=True)
class Docstring:
    """A docstring taken apart.

    Parameters
    ----------
    text : str
        All before the first section.
    sections : dict of str to str
        The sections' text by title, in their order.
    """

    text: str
    sections: dict[str, str]

    @property
    def summary(self) -> str:
        """The first paragraph, on one line."""
        return " ".join(self.text.split("\n\n")[0].split())

    def entries(self, title: str) -> tuple[Entry, ...]:
        """Return the entries of a section, none where there is no such section."""
        return tuple(_entries(self.sections.get(title, "")))

    def meaning(self, name: str) -> str:
        """Return what the parameters' section says of a name."""
        return next((entry.text for entry in self.entries("Parameters") if name in entry.names), "")


def read(of: object) -> Docstring:
    """Return an object's docstring, taken apart.

    Examples
    --------
    >>> read(read).sections["Examples"].splitlines()[0]
    '>>> read(read).sections["Examples"].splitlines()[0]'
    """
    lines = (inspect.getdoc(of) or "").splitlines()
    starts = [at for at in range(len(lines) - 1) if lines[at] and re.fullmatch(r"-{3,}", lines[at + 1])]
    sections = {
        lines[start]: "\n".join(lines[start + 2 : end]).strip("\n")
        for start, end in pairwise([*starts, len(lines)])
    }
    return Docstring("\n".join(lines[: starts[0] if starts else None]).strip(), sections)


def _entries(section: str) -> Iterator[Entry]:
    for block in re.split(r"\n(?=\S)", section):
        head, _, text = block.partition("\n")
        names, _, kind = head.partition(" : ")
        if names:
            yield Entry(tuple(name.strip() for name in names.split(",")), kind, inspect.cleandoc(text))
