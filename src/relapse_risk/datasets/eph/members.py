"""Table ``members``: who lives in the household, from visit to visit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from relapse_risk.datasets.eph.frames import YES, dated

#: Columns that are read.
COLUMNS = ("CH03", "CH04", "CH06", "CH08", "CH10", "CH12", "NIVEL_ED", "ESTADO", "CAT_INAC", "PP04D_COD", "PP07H")

_RELATION = {
    1: "head",
    2: "spouse",
    3: "child",
    4: "child_in_law",
    5: "grandchild",
    6: "parent",
    7: "parent_in_law",
    8: "sibling",
    9: "other_kin",
    10: "not_kin",
}
_SEX = {1: "male", 2: "female"}
#: 1 is primary school not finished or special education, 7 no schooling; 3 and 5 are stages not finished.
_SCHOOLING = {
    7: "illiterate",
    1: "illiterate",
    2: "primary",
    3: "junior",
    4: "senior",
    5: "college",
    6: "university",
}
#: Level attended, but for general basic school (3) and secondary school (4): kindergarten, primary, polimodal,
#: tertiary, university, postgraduate, special education (which the institute counts as primary).
_STAGE = {
    1: "preschool",
    2: "primary",
    5: "senior",
    6: "college",
    7: "university",
    8: "university",
    9: "primary",
}
#: These two span two stages: the stage below an age, the age, the stage from it on.
_STAGE_BY_AGE = {3: ("primary", 12, "junior"), 4: ("junior", 15, "senior")}
ATTENDS, ATTENDED, NEVER = 1, 2, 3
_COVER = {1: "employee_medical", 2: "commercial_medical", 3: "resident_medical", 4: "none"}
_DISABLED = 6
_EMPLOYED = 1
#: The last digit of an occupation: professional, technical, operative, unskilled; others are not known.
_LABOUR_SKILL = {1: "skilled", 2: "skilled", 3: "skilled", 4: "ordinary"}


def profiles(persons: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each person and visit, and one for each that a later visit no longer met.

    A person who is missing at the household's next visit has left by its day; one met again has come back.
    """
    here = dated(
        persons,
        person_id=persons["person_id"],
        in_household=True,
        relation=persons["CH03"].map(_RELATION),
        sex=persons["CH04"].map(_SEX),
        birth_month=birth_month(persons),
        schooling=persons["NIVEL_ED"].map(_SCHOOLING),
        at_school=_at_school(persons),
        health=persons["CAT_INAC"].map({_DISABLED: "disabled"}),
        labour_skill=_labour_skill(persons),
        insurance=_insurance(persons),
    )
    return pd.concat([here, _gone(persons)], ignore_index=True)


def _gone(persons: pd.DataFrame) -> pd.DataFrame:
    visits = persons[["household_id", "day"]].drop_duplicates().sort_values(["household_id", "day"])
    visits["next_visit"] = visits.groupby("household_id")["day"].shift(-1)
    met = persons[["household_id", "person_id", "day"]].merge(visits, on=["household_id", "day"], how="left")
    met_again = met.sort_values(["person_id", "day"]).groupby("person_id")["day"].shift(-1)
    gone = met[met["next_visit"].notna() & (met_again.reindex(met.index) != met["next_visit"])]
    return dated(gone.assign(day=gone["next_visit"]), person_id=gone["person_id"], in_household=False)


def birth_month(persons: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """Return the month that lies a person's age and half a year back from the visit; -1 is under one year.

    Age is in whole years: half a year back of them is the middle of what the birthday may be.
    """
    months = persons["CH06"].clip(lower=0).to_numpy(np.int64) * 12 + 6
    visit = persons["day"].to_numpy().astype("datetime64[M]")
    return np.asarray((visit - months.astype("timedelta64[M]")).astype("datetime64[D]"))


def _at_school(persons: pd.DataFrame) -> pd.Series[Any]:
    level, years = persons["CH12"].astype(float), persons["CH06"].astype(float)
    stage: pd.Series[Any] = level.map(_STAGE)
    for spanning, (below, age, above) in _STAGE_BY_AGE.items():
        stage = stage.mask(level.eq(spanning) & years.lt(age), below)
        stage = stage.mask(level.eq(spanning) & years.ge(age), above)
    attends = persons["CH10"].isin([ATTENDS])
    # 0: under two years old, not asked.
    return stage.where(attends).mask(persons["CH10"].isin([0, ATTENDED, NEVER]), "no")


def _labour_skill(persons: pd.DataFrame) -> pd.Series[Any]:
    """Return the skill that the work asks for; who is inactive for a disability is no longer able to work."""
    skill = (persons["PP04D_COD"] % 10).map(_LABOUR_SKILL).where(persons["ESTADO"].eq(_EMPLOYED))
    return skill.mask(persons["CAT_INAC"].eq(_DISABLED), "lost")


def _insurance(persons: pd.DataFrame) -> pd.Series[Any]:
    """Return the insurances, of which CH08 has one a digit; a pension is deducted from formal pay."""
    pensioned = persons["PP07H"].eq(YES).to_numpy(bool, na_value=False)
    answers = pd.DataFrame({"cover": persons["CH08"], "pensioned": pensioned})
    sets = {key: _insurances(*key) for key in answers.drop_duplicates().itertuples(index=False, name=None)}
    return pd.Series(
        [sets[key] for key in answers.itertuples(index=False, name=None)], index=persons.index, dtype=object
    )


def _insurances(cover: int, pensioned: bool) -> str | None:
    held = [] if pd.isna(cover) else [_COVER[int(digit)] for digit in str(cover) if int(digit) in _COVER]
    if pensioned:
        held = [one for one in held if one != "none"] + ["employee_pension"]
    return ",".join(held) or None
