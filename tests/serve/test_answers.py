"""What the service answers."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import time_machine
from tests.support.service import Client
from tests.support.small import Small, history, pairs, request_of

from relapse_risk.features.declare import REASON_GROUPS
from relapse_risk.model.bundle import load_model
from relapse_risk.records.records import Records
from relapse_risk.records.schema import empty
from relapse_risk.records.tables import TABLES
from relapse_serve.app import create_app
from relapse_serve.settings import ServiceSettings
from relapse_serve.shape import request_schema


@pytest.fixture(scope="module")
def households(small: Small) -> list[str]:
    """A mixed hundred, those of the first township and the last."""
    ids = sorted(set(small.records.table("households")["household_id"].to_pylist()))
    return ids[:50] + ids[-50:]


@pytest.fixture(scope="module")
def answer(small: Small, client: Client, households: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(request_of(small.records, households, small.as_of)).json()
    return answer


def test_an_answer_has_the_listed_fields_and_no_others(small: Small, answer: dict[str, Any]) -> None:
    assert set(answer) == {"model_version", "as_of", "advice", "scores"}
    assert (answer["model_version"], answer["as_of"]) == (small.version, small.as_of.isoformat())
    for row in answer["scores"]:
        assert set(row) == {
            *("household_id", "probability", "band", "raw_score", "base_score", "contributions", "reasons"),
        }
        for reason in row["reasons"]:
            assert set(reason) == {"group", "contribution", "feature", "value", "zh", "en"}


def test_households_are_answered_in_the_order_they_were_asked_in(
    small: Small, client: Client, households: list[str], answer: dict[str, Any]
) -> None:
    assert [row["household_id"] for row in answer["scores"]] == households
    backwards = client.post(request_of(small.records, households[::-1], small.as_of)).json()
    assert backwards["scores"] == answer["scores"][::-1]


def test_reasons_add_up_to_the_raw_score(answer: dict[str, Any]) -> None:
    assert len({row["raw_score"] for row in answer["scores"]}) > 50
    for row in answer["scores"]:
        assert set(row["contributions"]) <= set(REASON_GROUPS)
        total = row["base_score"] + sum(row["contributions"].values())
        assert total == pytest.approx(row["raw_score"], abs=1e-9)


def test_reasons_are_the_groups_that_raise_the_risk_most_in_both_languages(answer: dict[str, Any]) -> None:
    n_reasons = 0
    for row in answer["scores"]:
        raising = sorted((v for v in row["contributions"].values() if v > 0), reverse=True)
        assert [r["contribution"] for r in row["reasons"]] == raising[:3]
        for reason in row["reasons"]:
            n_reasons += 1
            word = REASON_GROUPS[reason["group"]]
            assert reason["contribution"] == row["contributions"][reason["group"]]
            assert reason["zh"].startswith(f"{word.zh}:")
            assert reason["en"].startswith(f"{word.en}: ")
    assert n_reasons > 100


def test_probabilities_are_probabilities_and_follow_the_raw_score(answer: dict[str, Any]) -> None:
    by_raw = sorted(answer["scores"], key=lambda row: row["raw_score"])
    probabilities = [row["probability"] for row in by_raw]
    assert probabilities == sorted(probabilities)
    assert 0 < probabilities[0] < probabilities[-1] < 1
    bands = [row["band"] for row in by_raw]
    assert bands == sorted(bands, key=["low", "medium", "high"].index)
    assert set(bands) == {"low", "medium", "high"}


@pytest.mark.parametrize("years", [-5, 5])
def test_the_machines_clock_changes_no_score(
    small: Small, answer: dict[str, Any], households: list[str], years: int
) -> None:
    bundle = load_model(small.folder)
    index = pairs(households, small.as_of)
    today = bundle.score(small.records, index=index)
    other_day = dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=365 * years)
    with time_machine.travel(other_day):
        assert dt.datetime.now(tz=dt.UTC).year == other_day.year
        then = load_model(small.folder).score(small.records, index=index)
        client = Client(create_app(ServiceSettings(models=small.models, model=small.version)))
        posted = client.post(request_of(small.records, households, small.as_of))
        client.close()
    assert then.equals(today)
    assert posted.json() == answer


def test_rows_that_came_in_on_the_day_itself_change_nothing(
    small: Small, client: Client, households: list[str], answer: dict[str, Any]
) -> None:
    day = small.as_of.isoformat()
    asked = [history(small.records, household, small.as_of) for household in households]
    for household in asked:
        household["shocks"].append({"occurred_on": day, "known_on": day, "kind": "disaster"})
        household["statuses"].append({"occurred_on": day, "known_on": day, "poor": True, "origin": "survey"})
    assert client.post({"as_of": day, "households": asked}).json()["scores"] == answer["scores"]


def test_the_order_of_rows_does_not_matter(
    small: Small, client: Client, households: list[str], answer: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    asked = [history(small.records, household, small.as_of) for household in households]
    for household in asked:
        for rows in household.values():
            if isinstance(rows, list):
                rng.shuffle(rows)
    posted = client.post({"as_of": small.as_of.isoformat(), "households": asked}).json()
    assert posted["scores"] == answer["scores"]


def test_persons_are_posted_as_every_other_table_and_score_as_in_the_batch(
    small: Small, client: Client, households: list[str]
) -> None:
    day = dt.date(2021, 3, 1)
    row = {"occurred_on": day, "known_on": day, "person_id": "p1"}
    member = {**row, "relation": "head", "birth_month": dt.date(1970, 5, 1), "health": "chronic", "at_school": "no"}
    job = {**row, "employed": True, "workplace": "county", "wage_yuan": 2600.0, "formal": False}
    tables = {name: small.records.table(name) for name in small.records.present}
    for name, added in (("members", member), ("employment", job)):
        held = tables.get(name, empty(TABLES[name]))
        new = [{**added, "household_id": household} for household in households]
        kept = held.filter(pc.not_equal(held["person_id"], "p1"))
        tables[name] = pa.concat_tables([kept, pa.Table.from_pylist(new, schema=held.schema)])
    records = Records.from_tables(tables, small.records.settings)
    request = request_of(records, households, small.as_of)
    assert all(posted["members"] and posted["employment"] for posted in request["households"])
    answer = client.post(request)
    assert answer.status_code == 200, answer.text
    batch = load_model(small.folder).score(records, index=pairs(households, small.as_of))
    assert [row["raw_score"] for row in answer.json()["scores"]] == batch["raw_score"].tolist()


def test_the_request_shown_in_the_guide_is_answered(client: Client) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"```text\n(\{.*?)```", guide, re.DOTALL)
    answer = client.post(body.encode())
    assert answer.status_code == 200, answer.text


def test_the_description_lists_every_table_but_grids_with_its_columns() -> None:
    described = request_schema(needed={"visits"})["$defs"]
    posted = described["HouseholdHistory"]
    assert set(posted["properties"]) == {"household_id", *TABLES} - {"grids"}
    assert posted["required"] == ["household_id", "households", "visits"]
    for name in set(TABLES) - {"grids"}:
        columns = {c: of for c, of in TABLES[name].columns.items() if c != "household_id"}
        row = described[f"{TABLES[name].__name__}Row"]
        assert set(row["properties"]) == set(columns)
        assert row["required"] == [c for c, of in columns.items() if not (of.nullable or of.optional)]
    member = described["MembersRow"]["properties"]
    assert (member["person_id"]["minLength"], member["person_id"]["maxLength"]) == (1, 64)
    assert member["sex"]["anyOf"][0]["enum"] == ["male", "female"]
    job = described["EmploymentRow"]["properties"]
    assert job["wage_yuan"]["anyOf"][0]["minimum"] == 0
    assert job["started_on"]["anyOf"][0]["format"] == "date"
