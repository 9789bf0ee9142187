"""What the service refuses, and that a refusal holds nothing of what was sent."""

from __future__ import annotations

import copy
import json
import logging
from typing import Any

import pytest
from fastapi.routing import APIRoute
from tests.support.service import ROUTE, Client
from tests.support.small import Small

from relapse_risk.errors import UsageError
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES
from relapse_risk.scoring.score import score
from relapse_serve.shape import HISTORY, MAX_HOUSEHOLDS, MAX_ROWS

CANARY = "李秀兰"
ROW = {"occurred_on": "2021-03-01", "known_on": "2021-03-05"}
#: A request that fits, with a row of every table.
FITS: dict[str, Any] = {
    "as_of": "2022-01-01",
    "households": [
        {
            "household_id": "h1",
            "households": [{**ROW, "grid_id": "g1", "n_members": 3, "n_labour": 2, "lifted_on": "2018-12-31"}],
            "visits": [{**ROW, "visit_id": "v1", "yard": 1, "clue_raised": False}],
            "incomes": [{**ROW, "source": "wage", "amount_yuan": 1200.5}],
            "statuses": [{**ROW, "poor": False, "origin": "registry", "risk_types": "illness,schooling"}],
            "expenses": [{**ROW, "kind": "medical", "total_yuan": 10, "self_paid_yuan": 2}],
            "shocks": [{**ROW, "kind": "illness"}],
            "supports": [{**ROW, "kind": "health", "ended_on": "2021-06-01"}],
            "members": [
                {**ROW, "person_id": "p1", "sex": "female", "birth_month": "1980-05-01", "health": "healthy"}
            ],
            "employment": [{**ROW, "person_id": "p1", "employed": True, "workplace": "county", "wage_yuan": 1}],
        }
    ],
}
H = ("households", 0)
DEEP: Any = CANARY
for _ in range(500):
    DEEP = [DEEP]


def put(where: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return a fitting request but for one value."""
    request = copy.deepcopy(FITS)
    place: Any = request
    for part in where[:-1]:
        place = place[part]
    place[where[-1]] = value
    return request


def test_the_request_that_the_refused_ones_differ_from_is_answered(client: Client) -> None:
    assert client.post(FITS).status_code == 200


WRONG: list[tuple[tuple[str | int, ...], Any]] = [
    # Numbers: true, "12" and null are none; nor is what no household earns or has.
    *(
        ((*H, "incomes", 0, "amount_yuan"), v)
        for v in (True, "12", CANARY, None, [1], {"a": 1}, -0.01, 1e13, 10**400)
    ),
    *(((*H, "visits", 0, "yard"), v) for v in (True, "1", 1.0, 3, -1, 2**63, 10**400, CANARY)),
    *(((*H, "households", 0, "n_members"), v) for v in (0, 100, 3.5, "3", False)),
    ((*H, "households", 0, "n_labour"), 4),  # more than n_members
    # Dates: days of the calendar as text, nothing that could be read as one.
    *(
        (where, v)
        for where in (("as_of",), (*H, "visits", 0, "occurred_on"))
        for v in (
            *("1614556800", 1614556800, "2021-02-30", "2021-13-01", "2021-3-1", "20210301", "2021-03-01T00:00:00"),
            *("2021-03-01Z", "03/01/2021", "２０２１-０３-０１", "", " 2021-03-01", "2021-03-01\n"),
            *(CANARY, None, True, 1e9),
        )
    ),
    ((*H, "visits", 0, "known_on"), "2022-01-02"),  # not yet known on the day scored for
    ((*H, "visits", 0, "known_on"), "2021-02-28"),  # known before it happened
    ((*H, "visits", 0, "occurred_on"), "1899-12-31"),
    ((*H, "supports", 0, "ended_on"), "2021-02-28"),
    ((*H, "incomes", 0, "occurred_on"), "2001-01-01"),  # before any monitoring line
    ((*H, "members", 0, "birth_month"), "2021-03-02"),  # born after the day of the profile
    ((*H, "employment", 0, "started_on"), "2021-03-06"),
    ((*H, "employment", 0, "one_off_yuan"), 2),  # more than wage_yuan
    # Ids: text, as they were given.
    *(
        ((*H, "household_id"), v)
        for v in (
            *(123456789012345678, 1.5, None, "", " h1", "h1 ", "x" * 65, "1.10101E+17", "12.0"),
            *("=h1", "a\u0000b", "h\u200b1"),
        )
    ),
    ((*H, "visits", 0, "visit_id"), 17),
    ((*H, "employment", 0, "person_id"), "1.1E+17"),
    ((*H, "members", 0, "person_id"), None),
    # Codes.
    *(((*H, "incomes", 0, "source"), v) for v in ("Wage", "", CANARY, 1, None, ["wage"])),
    *(
        ((*H, "statuses", 0, "risk_types"), v)
        for v in ("illness;schooling", "accident,illness,", CANARY, ",".join(["other"] * 6))
    ),
    *(((*H, "members", 0, "health"), v) for v in ("healthy,chronic", "chronic,healthy", "disabled,disabled")),
    # Flags.
    *(((*H, "statuses", 0, "poor"), v) for v in (0, 1, "true", "yes", None)),
    # Shapes.
    *((("households",), v) for v in list[Any](([], {}, None, CANARY, [None], [[]], [CANARY]))),
    *(((*H, "households"), v) for v in list[Any](([], None, {}, CANARY))),
    *(((*H, "visits"), v) for v in list[Any]((None, {}, [None], [[]], [CANARY], [{}]))),
    # What is not known.
    ((CANARY,), 1),
    ((*H, CANARY), []),
    ((*H, "visits", 0, CANARY), 1),
    ((*H, "grids"), []),
    ((*H, "observations"), [{**ROW, "item": CANARY, "value": 1}]),
]  # fmt: skip


PLACES = [".".join(map(str, where)).replace(CANARY, "unknown") for where, _ in WRONG]


@pytest.mark.parametrize(("where", "value"), WRONG, ids=PLACES)
def test_a_value_that_does_not_fit_is_refused_with_its_place_and_not_repeated(
    client: Client, caplog: pytest.LogCaptureFixture, where: tuple[str | int, ...], value: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps(put(where, value)).encode()
    answer = client.post(body)
    assert answer.status_code == 422, answer.text
    refused = answer.json()
    assert set(refused) == {"error", "violations"}
    assert refused["violations"]
    for violation in refused["violations"]:
        assert set(violation) == {"where", "code", "rule", "valid"}
    there = ["(unknown field)" if part in (CANARY, "grids") else part for part in where]
    assert there in [violation["where"][: len(there)] for violation in refused["violations"]]
    assert not echoed(value, answer.text)
    assert not echoed(value, "".join(record.getMessage() for record in caplog.records if record.name != "asyncio"))


@pytest.mark.parametrize("name", [name for name in HISTORY if name != "households"])
def test_a_household_that_does_not_state_a_table_of_the_model_is_refused_as_by_the_batch(
    small: Small, client: Client, name: str
) -> None:
    stating = FITS["households"][0]
    lacking = {table: rows for table, rows in stating.items() if table != name} | {"household_id": "h2"}
    answer = client.post({**FITS, "households": [stating, lacking]})
    present = small.records.present - {name}
    records = Records.from_valid(
        {n: small.records.table(n) for n in TABLES}, small.records.settings, frozenset(present)
    )
    if name == "observations":  # the small county declares no items
        assert answer.status_code == 200, answer.text
        return
    assert answer.status_code == 422
    assert answer.json()["violations"] == [
        {
            "where": ["households", 1, name],
            "code": "RR203",
            "rule": "table that the model uses is not stated",
            "valid": "Send its rows, or [] if the household has no rows of it.",
        }
    ]
    with pytest.raises(UsageError, match=f"trained with table.* {name}, which these records lack"):
        score(small.model, records, as_of=small.as_of)


def test_an_empty_list_states_that_there_are_no_rows(client: Client) -> None:
    for name in HISTORY:
        if name != "households":
            assert client.post(put((*H, name), [])).status_code == 200


def test_the_value_of_a_field_that_is_not_known_is_not_repeated(client: Client) -> None:
    answer = client.post(put((*H, "visits", 0, "name"), CANARY))
    assert answer.status_code == 422
    assert answer.json()["violations"] == [
        {
            "where": [*H, "visits", 0, "(unknown field)"],
            "code": "RR003",
            "rule": "column is not known",
            "valid": "Leave it out: no such field.",
        }
    ]


def echoed(value: Any, text: str) -> bool:
    """Return whether a text holds the canary or a number long enough to be recognised."""
    marks = [CANARY, json.dumps(CANARY)[1:-1]]
    if isinstance(value, (int, float, str)) and not isinstance(value, bool) and len(str(value)) > 7:
        marks.append(str(value))
    return any(mark in text for mark in marks)


RAW = {
    "empty": b"",
    "not JSON": CANARY.encode(),
    "cut": json.dumps(FITS).encode()[:-3],
    "not UTF-8": '{"as_of": "李"}'.encode("gb18030"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(FITS).encode(),
    "deep": json.dumps(put((CANARY,), DEEP)).encode(),
    "deep, where a row stands": json.dumps(put((*H, "visits"), DEEP)).encode(),
    "open brackets": b"[" * 100_000,
    "a lone surrogate": json.dumps(put((*H, "household_id"), "x\ud800")).encode(),
    "a number of 5,000 digits": json.dumps(FITS).replace("1200.5", "1" * 5000).encode(),
    "two bodies": json.dumps(FITS).encode() * 2,
    "a field twice": json.dumps(FITS).replace('"as_of"', f'"as_of": "{CANARY}", "as_of"').encode(),
    "a field twice in a row": json.dumps(FITS).replace('"yard": 1', '"yard": 1, "yard": 2').encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_a_body_that_is_not_json_or_too_deep_is_400(client: Client, name: str) -> None:
    answer = client.post(RAW[name])
    assert answer.status_code == 400, answer.text
    assert not echoed("", answer.text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize(
    "place", ['"amount_yuan": 1200.5', '"yard": 1', '"n_members": 3', '"as_of": "2022-01-01"', '"poor": false']
)
def test_numbers_that_are_not_finite_are_422_in_any_place(client: Client, number: str, place: str) -> None:
    body = json.dumps(FITS)
    assert place in body
    answer = client.post(body.replace(place, f"{place.split(':', maxsplit=1)[0]}: {number}").encode())
    assert answer.status_code == 422, answer.text
    assert number not in answer.text


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b"true", b'"x"', b"{}", b'{"as_of": "2022-01-01"}'])
def test_json_that_is_no_request_is_422(client: Client, body: bytes) -> None:
    assert client.post(body).status_code == 422


def test_the_largest_numbers_that_fit_are_scored(client: Client) -> None:
    row = {**ROW, "source": "wage", "amount_yuan": 1e12}
    days = [{**row, "occurred_on": f"2021-01-{day:02d}"} for day in range(1, 29)]
    answer = client.post(put((*H, "incomes"), days))
    assert answer.status_code == 200, answer.text


def test_ids_of_any_writing_are_answered_as_they_were_sent(client: Client) -> None:
    for household in ("510236-07", "李家湾\u3000七组", "𠮷田", "0012", "x" * 64):
        answer = client.post(put((*H, "household_id"), household))
        assert answer.json()["scores"][0]["household_id"] == household


def test_a_household_or_a_row_named_twice_is_refused(client: Client) -> None:
    household = FITS["households"][0]
    assert client.post({**FITS, "households": [household, household]}).status_code == 422
    row = household["incomes"][0]
    answer = client.post(put((*H, "incomes"), [row, row]))
    assert answer.status_code == 422
    assert [(v["code"], v["where"]) for v in answer.json()["violations"]] == [
        ("RR011", [*H, "incomes", 0]),
        ("RR011", [*H, "incomes", 1]),
    ]


def test_a_correction_of_a_row_replaces_it_whatever_the_order(client: Client) -> None:
    row = FITS["households"][0]["incomes"][0]
    corrected = {**row, "known_on": "2021-04-01", "amount_yuan": 9000.0}
    scores = [
        client.post(put((*H, "incomes"), rows)).json()["scores"]
        for rows in ([row, corrected], [corrected, row], [{**corrected, "occurred_on": row["occurred_on"]}])
    ]
    assert scores[0] == scores[1] == scores[2]


def test_more_households_or_rows_than_are_taken_are_refused(client: Client) -> None:
    household = FITS["households"][0]
    many = [{**household, "household_id": f"h{k}"} for k in range(MAX_HOUSEHOLDS + 1)]
    assert client.post({**FITS, "households": many}).status_code == 422
    assert client.post({**FITS, "households": many[:-1]}).status_code == 200
    assert client.post(put((*H, "shocks"), [{}] * (MAX_ROWS + 1))).status_code == 422


def test_a_body_full_of_bad_rows_gets_a_short_answer(client: Client) -> None:
    """All violations of such a body once took gigabytes."""
    household = {"household_id": "h", "households": [{}] * MAX_ROWS, "visits": [{}] * MAX_ROWS}
    many = [{**household, "household_id": f"h{k}"} for k in range(MAX_HOUSEHOLDS)]
    answer = client.post({"as_of": "2022-01-01", "households": many})
    assert answer.status_code == 422
    assert len(answer.json()["violations"]) == 100
    assert len(answer.content) < 50_000


def test_a_body_larger_than_allowed_is_413(client: Client) -> None:
    answer = client.post(b" " * (4 * 2**20) + b"x")
    assert answer.status_code == 413
    assert client.post(b" " * (4 * 2**20)).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_405(client: Client, method: str) -> None:
    answer = client.request(method, ROUTE)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path", [f"/{CANARY}", "/", "/v1", "/docs", "/redoc", "/openapi.json", f"{ROUTE}/{CANARY}"]
)
def test_what_is_not_listed_is_not_served(client: Client, path: str) -> None:
    answer = client.request("POST", path, content=json.dumps(FITS).encode())
    assert answer.status_code == 404
    assert answer.json() == {"error": "not found", "violations": []}


def test_an_unexpected_error_says_nothing_to_the_client_or_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(f"could not convert {CANARY}")

    monkeypatch.setattr("relapse_serve.app.parse", fail)
    answer = client.post(FITS)
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error", "violations": []})
    assert "ValueError" in caplog.text
    assert CANARY not in caplog.text


def test_every_route_answers_through_the_guard(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A route that reads or answers by itself could repeat what was sent."""

    async def fail(*_: Any) -> None:
        raise ValueError(f"could not convert {CANARY}")

    monkeypatch.setattr("relapse_serve.app.Service._body", fail)
    routes = [route for route in client.app.routes if isinstance(route, APIRoute)]
    assert ROUTE in {route.path for route in routes}
    for route in routes:
        for method in route.methods or ():
            answer = client.request(method, route.path, content=b"{}")
            assert (answer.status_code, answer.json()["error"]) == (500, "internal error"), route.path
    assert CANARY not in caplog.text
