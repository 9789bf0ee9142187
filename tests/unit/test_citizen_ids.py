"""Citizen ids in the forms that people write them in. Those here are of an area that does not exist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from relapse_risk.records.citizen_ids import citizen_id_in, citizen_ids

BARE = "99999919491231005X"
#: More texts than are looked at one by one.
MANY = [f"p{n}" for n in range(400)]


def with_check_sign(first: str) -> str:
    total = sum(2 ** (17 - k) % 11 * int(digit) for k, digit in enumerate(first))
    return first + "10X98765432"[total % 11]


def test_the_number_used_here_has_the_right_check_sign() -> None:
    assert with_check_sign(BARE[:17]) == BARE


@pytest.mark.parametrize(
    "written",
    [
        BARE,
        BARE.lower(),
        f"{BARE[:6]} {BARE[6:14]} {BARE[14:]}",
        f"{BARE[:6]}-{BARE[6:14]}-{BARE[14:]}",
        f"{BARE[:6]}.{BARE[6:14]}/{BARE[14:]}",
        "".join(chr(ord(sign) - ord("0") + ord("０")) for sign in BARE[:-1]) + "Ｘ",
        BARE[:-1] + "×",
        f"某人{BARE}",
        f"ID{BARE}",
        f"R-{BARE}",
        f"*{BARE}",
        f"{BARE}A",
        f"身份证:{BARE}",
        f"{BARE}43",
        f"12{BARE}",
    ],
)
def test_any_form_is_found(written: str) -> None:
    assert citizen_id_in(written) == BARE
    assert citizen_ids(pa.array(["p1", written, None])).tolist() == [False, True, False]
    assert np.flatnonzero(citizen_ids(pa.array([*MANY, written, None]))).tolist() == [len(MANY)]


@pytest.mark.parametrize(
    "text", ["", "p1", BARE[:-1] + "1", BARE[:17], "99999919491332002X", "5002361234567890123"]
)
def test_other_texts_are_not(text: str) -> None:
    assert citizen_id_in(text) is None
    assert not citizen_ids(pa.array([text])).any()
    assert not citizen_ids(pa.array([*MANY, text])).any()


@pytest.mark.parametrize("size", [200, 600])
def test_chance_alone_makes_no_citizen_id_of_numbers_with_a_date(size: int) -> None:
    """One in eleven has the right check sign."""
    assert not citizen_ids(pa.array([f"500236-20210315-{n:04d}" for n in range(size)])).any()


def test_where_half_of_those_with_a_date_check_they_are_citizen_ids() -> None:
    wrong = [BARE[:-1] + sign for sign in "12"]
    assert citizen_ids(pa.array([BARE, wrong[0]])).tolist() == [True, False]
    assert not citizen_ids(pa.array([BARE, *wrong])).any()
