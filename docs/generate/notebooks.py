"""The notebooks as pages: their text, and their code as it is written; outputs are made where they run."""

from __future__ import annotations

import json
from pathlib import Path


def page(notebook: Path) -> str:
    """Return a notebook as a page."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    note = f"`make notebook` opens this page, `notebooks/{notebook.name}`, to be run and changed."
    first, *others = (_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells)
    return "\n\n".join((first, note, *others)) + "\n"


def _cell(kind: str, source: str) -> str:
    return source if kind == "markdown" else f"```python\n{source}\n```"
