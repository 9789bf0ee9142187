"""A household-quarter and a person of it with unremarkable answers, and what is to differ from them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from relapse_risk.datasets.eph.files import HOUSEHOLDS, PERSONS
from tests.support.ascii import rows

_YES, _NO = 1, 2
_USUAL: dict[str, object] = {
    **dict.fromkeys(HOUSEHOLDS.columns, _NO),
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
#: The head, 40, a formal employee in trade, whose income is the household's.
_USUAL_PERSON: dict[str, object] = {
    **dict.fromkeys(PERSONS.columns, 0),
    **{column: _USUAL[column] for column in ("CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE")},
    "COMPONENTE": 1,
    "CH03": 1,
    "CH04": 1,
    "CH06": 40,
    "CH08": 1,
    "CH10": 2,
    "CH12": 4,
    "NIVEL_ED": 4,
    "ESTADO": 1,
    "CAT_OCUP": 3,
    "PP04B_COD": 4803,
    "PP04B1": _NO,
    "PP04D_COD": 30_113,
    "PP07C": _NO,
    "PP07H": _YES,
    "PP3E_TOT": 40,
    "PP07A": 6,
    "PP03J": _NO,
    "P21": 20_000,
    "V2_M": 5_000,
    "V8_M": 3_000,
    "V12_M": 2_000,
    "T_VI": 10_000,
}
#: What differs of a child under ten: of work and income nothing was asked.
CHILD: dict[str, object] = {
    **{column: None if column.startswith("PP") else 0 for column in PERSONS.columns},
    **{column: _USUAL_PERSON[column] for column in ("CODUSU", "NRO_HOGAR", "ANO4", "TRIMESTRE")},
    "CH03": 3,
    "CH04": 2,
    "CH06": 7,
    "CH08": 4,
    "CH10": 1,
    "CH12": 2,
    "NIVEL_ED": 1,
    "ESTADO": 4,
    "CAT_INAC": 3,
}
#: What differs of an adult out of work, of whom no question on a job was asked.
UNEMPLOYED: dict[str, object] = {
    **{column: None for column in _USUAL_PERSON if column.startswith("PP")},
    **{column: 0 for column in _USUAL_PERSON if column.startswith(("P21", "V", "T_"))},
    "ESTADO": 2,
    "CAT_OCUP": 0,
}


def quarters(*differing: dict[str, object]) -> pd.DataFrame:
    """Return household-quarters, one for each set of differing answers."""
    return pd.DataFrame([{**_USUAL, **answers} for answers in differing])[list(HOUSEHOLDS.columns)]


def persons(*differing: dict[str, object]) -> pd.DataFrame:
    """Return person-quarters, one for each set of differing answers; None is a question that was not put."""
    frame = pd.DataFrame([{**_USUAL_PERSON, **answers} for answers in differing])[list(PERSONS.columns)]
    numbers = frame.columns.drop("CODUSU")
    return frame.astype(dict.fromkeys(numbers, "Int64"))


def drawn(drawing: str, *, base: dict[str, object] | None = None) -> list[dict[str, object]]:
    """Return differing answers drawn as a table; a blank cell leaves the usual answer."""
    return [
        {**(base or {}), **{name: text if name == "CODUSU" else int(text) for name, text in row.items() if text}}
        for row in rows(drawing)
    ]


def panel_file(folder: Path, *differing: dict[str, object], name: str = "panel.parquet") -> Path:
    """Write household-quarters as a panel file."""
    quarters(*differing).to_parquet(folder / name)
    return folder / name


def persons_file(folder: Path, *differing: dict[str, object], name: str = "persons.parquet") -> Path:
    """Write person-quarters as a panel file."""
    persons(*differing).to_parquet(folder / name)
    return folder / name
