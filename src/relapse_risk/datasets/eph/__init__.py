"""The real panel: Encuesta Permanente de Hogares (INDEC, Argentina) as records.

A household is visited up to four times, in quarters 0, 1, 4 and 5. The day of a visit is not published, so a
visit and all it brought are dated to the last day of its quarter: no feature then uses an answer before it can
have been given. Source: INDEC public-use microdata and regional baskets, joined as the panel's description says.
"""

from relapse_risk.datasets.eph.panel import HORIZONS, PanelImport, import_eph

__all__ = ["HORIZONS", "PanelImport", "import_eph"]
