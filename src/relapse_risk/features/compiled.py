"""Where ``compiled`` was before other packages used it too."""

from relapse_risk.compiled import compiled

__all__ = ["compiled"]
