"""A household-quarter of the panel with unremarkable answers, and what is to differ from them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from relapse_risk.datasets import eph

_YES, _NO = 1, 2
_USUAL: dict[str, object] = {
    **dict.fromkeys(eph.COLUMNS, _NO),
    "CODUSU": "AB",
    "NRO_HOGAR": 1,
    "ANO4": 2017,
    "TRIMESTRE": 1,
    "REALIZADA": 1,
    "REGION": 43,
    "AGLOMERADO": 9,
    "PONDIH": 200,
    "ITF": 30_000.0,
    "basic_total_basket": 4_000.0,
    "adult_equivalents": 3.0,
    "labour_income_main": 20_000.0,
    "labour_income_other": 0.0,
    "pension_income": 5_000.0,
    "aid_income": 0.0,
    "non_labour_income": 10_000.0,
    "n_members": 4,
    "n_employed": 1,
    "n_unemployed": 0,
    "n_under_15": 2,
    "n_65_plus": 1,
    "IV1": 1,
    "IV3": 1,
    "IV4": 1,
    "IV5": 1,
    "IV6": 1,
    "IV7": 1,
    "IV11": 1,
    "V1": _YES,
    "head_health_cover": 1,
}


def quarters(*differing: dict[str, object]) -> pd.DataFrame:
    """Return household-quarters, one for each set of differing answers."""
    return pd.DataFrame([{**_USUAL, **answers} for answers in differing])[list(eph.COLUMNS)]


def panel_file(folder: Path, *differing: dict[str, object], name: str = "panel.parquet") -> Path:
    """Write household-quarters as a panel file."""
    quarters(*differing).to_parquet(folder / name)
    return folder / name
