"""The Python API's page: every public name with its signature and docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import relapse_risk
import relapse_risk.datasets
import relapse_risk.explore
import relapse_risk.plots
from docs.generate import docstrings
from docs.generate.markdown import cell, code, prose, table

_INTRO = """\
# Python API

The names in `__all__` of the four modules below. `relapse_risk.plots` needs the extra `notebook`. Other modules are
not public: their names may change.
"""

MODULES: tuple[ModuleType, ...] = (
    relapse_risk,
    relapse_risk.datasets,
    relapse_risk.explore,
    relapse_risk.plots,
)


def names() -> Iterator[tuple[ModuleType, str, object]]:
    """Return every public name with its module and what it is."""
    for module in MODULES:
        for name in module.__all__:
            yield module, name, getattr(module, name)


def methods(of: object) -> dict[str, object]:
    """Return a class's own public methods, none for a function."""
    if not inspect.isclass(of):
        return {}
    return {
        name: getattr(of, name)
        for name, member in vars(of).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, (classmethod, staticmethod)))
        and inspect.getdoc(getattr(of, name))
    }


def page() -> str:
    """Return the page."""
    parts = [
        _INTRO,
    ]
    module = None
    for place, name, of in names():
        if place is not module:
            parts.append(f"## {place.__name__}\n")
            module = place
        parts += [f"### {name}\n", _described(name, of)]
        for method, member in methods(of).items():
            parts += [f"#### {name}.{method}\n", _described(f"{name}.{method}", member)]
    return "\n".join(parts)


def _described(name: str, of: object) -> str:
    doc = docstrings.read(of)
    parts = [f"```python\n{_signature(name, of)}\n```\n", f"{prose(doc.text)}\n"]
    for title, section in doc.sections.items():
        parts.append(f"**{title}**\n")
        if title in docstrings.LISTS:
            rows = [
                (", ".join(code(n) for n in entry.names), cell(entry.kind), cell(prose(entry.text)))
                for entry in doc.entries(title)
            ]
            parts.append(table(("name", "type", "meaning"), rows))
        elif title == "Examples":
            parts.append(f"```pycon\n{section}\n```\n")
        else:
            parts.append(f"{prose(section)}\n")
    return "\n".join(parts)


def _signature(name: str, of: object) -> str:
    if not callable(of):
        return name
    try:
        signature = inspect.signature(of)
    except ValueError:
        return name
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    text = signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)
    return f"{name}{text}"
