"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[Path, typer.Option("--data", help="Records folder.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="Folder of model bundles.")]
