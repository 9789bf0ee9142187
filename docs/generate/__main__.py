"""Assemble the site's pages: ``python -m docs.generate FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.generate.assemble import assemble

if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
