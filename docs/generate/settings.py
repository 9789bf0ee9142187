"""The settings' page: every key of ``relapse.toml`` with its type, default and meaning, from the models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.generate import docstrings
from docs.generate.markdown import cell, code, prose, table
from relapse_risk.settings import Settings, county_defaults

_INTRO = """\
# Settings: relapse.toml

A records folder holds its settings beside its tables. Scores depend on nothing else: no environment variable
and no clock. A key that is not listed here is an error that names it.
"""

HEADER = ("key", "type", "default", "meaning")
_WORDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "string": "text",
}


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Return every table of the file by its TOML name, with its model."""
    for name, field in Settings.model_fields.items():
        yield from _section(name, field.annotation)


def _section(name: str, annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield name, annotation
        for key, field in annotation.model_fields.items():
            yield from ((f"{name}.{key}", model) for model in _models_in(field.annotation))
        return
    yield from ((f"{name}.NAME", model) for model in _models_in(annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for inner in get_args(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield inner
        else:
            yield from _models_in(inner)


def page() -> str:
    """Return the page."""
    parts = [
        _INTRO,
    ]
    for name, model in sections():
        doc = docstrings.read(model)
        rows = [
            (code(key), cell(_type(model, key)), _default(field), cell(prose(doc.meaning(key))))
            for key, field in model.model_fields.items()
            if not list(_models_in(field.annotation))
        ]
        parts += [f"## {name}\n", f"{prose(doc.text)}\n"]
        if rows:
            parts.append(table(HEADER, rows))
        nested = [key for key, field in model.model_fields.items() if list(_models_in(field.annotation))]
        parts += [
            f"`{key}`: {prose(doc.meaning(key))} See [{name}.{key}](#{_anchor(name, key)}).\n" for key in nested
        ]
    return "\n".join([*parts, _county()])


def _county() -> str:
    return (
        "## A county's defaults\n\n"
        "`relapse import county` starts from these settings and lays over them what the mapping names under "
        "`[settings]`.\n\n"
        f"```toml\n{county_defaults().to_toml()}```\n"
    )


def _anchor(name: str, key: str) -> str:
    return f"{name}{key}".replace(".", "").lower()


def _type(model: type[BaseModel], key: str) -> str:
    schema = model.model_json_schema()["properties"][key]
    optional = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    words = f"list of {_words(schema['items'])}" if schema.get("type") == "array" else _words(schema)
    return f"{words}, may be left out" if optional else words


def _words(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    word = "date" if schema.get("format") == "date" else _WORDS[schema["type"]]
    bounds = [
        f"{words} {schema[key]:,}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return ", ".join((word, *bounds))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, dt.date):
        return code(value.isoformat())
    if isinstance(value, tuple):
        return code(list(value))
    return code(f'"{value}"' if isinstance(value, str) else value)
