"""The commands' page: every command with its arguments and options, as the command line itself declares them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import typer.main

from docs.generate.markdown import cell, code, table
from relapse_risk.cli import app
from relapse_risk.errors import RelapseError

_INTRO = """\
# Commands

Results go to stdout, everything else to stderr. Where a command takes `--json`, stdout holds one JSON object
and nothing else. Each kind of error has its own [exit code](errors.md#exit-codes).
"""

#: What an option of a Python type takes.
_WORDS = {Path: "PATH", str: "TEXT", int: "INTEGER", float: "NUMBER", datetime: "YYYY-MM-DD"}


def commands() -> Iterator[tuple[str, Any]]:
    """Return every command that does something, by its full name."""
    yield from _below("relapse", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _below(f"{name} {word}", one)


def page() -> str:
    """Return the page."""
    parts = [
        _INTRO,
    ]
    for name, command in commands():
        parts += [f"## {name}\n", f"{_text(command.help)}\n", f"```text\n{_usage(name, command)}\n```\n"]
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
        if arguments:
            named = [(code(_argument(p)), cell(p.help or "")) for p in arguments]
            parts.append(table(("argument", "is"), named))
        rows = [(_names(p), code(_kind(p)), _default(p), cell(p.help or "")) for p in options]
        parts.append(table(("option", "takes", "default", "does"), rows))
    return "\n".join(parts)


def _text(help_text: str | None) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in (help_text or "").split("\n\n"))


def _usage(name: str, command: Any) -> str:
    needed = [f"{p.opts[0]} {_kind(p)}" for p in command.params if p.param_type_name == "option" and p.required]
    arguments = [_argument(p) for p in command.params if p.param_type_name == "argument"]
    return " ".join((name, *arguments, *needed, "[OPTIONS]"))


def _argument(parameter: Any) -> str:
    return str(parameter.name).upper() + ("..." if parameter.nargs == -1 else "")


def _names(option: Any) -> str:
    return ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))


def _kind(option: Any) -> str:
    """Return what an option takes, nothing for a flag."""
    if option.is_flag:
        return ""
    if option.metavar:
        return str(option.metavar)
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    if kind not in _WORDS:
        raise RelapseError(
            f"{option.opts[0]} takes {kind!r}, which the commands' page has no word for. Add it to _WORDS in "
            "docs/generate/commands.py, or give the option a metavar. "
            f"Known: {', '.join(known.__name__ for known in _WORDS)}."
        )
    word = _WORDS[kind]
    if option.min is None and option.max is None:
        return word
    return f"{word} {'' if option.min is None else option.min}..{'' if option.max is None else option.max}"


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.secondary_opts:
        return code((option.opts if option.default else option.secondary_opts)[0])
    if option.is_flag or option.default is None:
        return ""
    return code(option.default.value if isinstance(option.default, Enum) else option.default)
