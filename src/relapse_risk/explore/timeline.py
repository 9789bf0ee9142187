"""One household's history as a table: everything that was recorded of it, in words, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from relapse_risk.dates import DateLike, add_months, from_days, month_number, to_days
from relapse_risk.errors import NotFoundError
from relapse_risk.features.build import build_features, encode
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import YEAR
from relapse_risk.features.derive import LOOKS, derive
from relapse_risk.features.kernel import household_lines
from relapse_risk.records.codes import INCOME_SOURCE, Codes, Label
from relapse_risk.records.records import Records
from relapse_risk.records.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

#: What a county judges by; the feature of that name, at each month's beginning.
BALANCE = "balance_12m"
GRADES = {0: Label("无异常", "fine"), 1: Label("关注", "concern"), 2: Label("严重", "serious")}
_COLUMNS = ("track", "occurred_on", "until", "known_on", "person_id", "kind", "value", "unit", "zh", "en")
_NOT_IN_WORK = Label("未务工", "not in work")
_AT_WORK = Label("务工", "in work")

Row = tuple[Any, ...]


def timeline(records: Records, household_id: str, as_of: DateLike | None = None) -> pd.DataFrame:
    """Return all that was recorded of a household, one thing a row, in the order of time.

    Of records that were corrected, only the latest version known before ``as_of`` is shown.

    Parameters
    ----------
    records : Records
        Histories.
    household_id : str
        The household.
    as_of : date, optional
        Show only what the county's system held before this day; all that the records show otherwise.

    Returns
    -------
    pandas.DataFrame
        Sorted by day, with columns

        - ``track``: ``profile``, ``lifted``, ``status``, ``income`` (a month's sum of a source, costs negative),
          ``line`` (the household's monitoring line, each month), ``balance`` (what the county judges by on the
          month's first day: the account of the 12 months before it), ``expense``, ``visit`` (a look and its
          grade), ``clue``, ``shock``, ``support``, ``member`` (a person's profile), ``job`` (a person's month);
        - ``occurred_on`` and, for what lasts, ``until`` (its last day; missing while it runs);
        - ``known_on``, missing where a row sums several records;
        - ``person_id``, of a member or a job;
        - ``kind``, the code; ``value`` and its ``unit``: yuan a month for money of a month, a grade for a look;
        - ``zh`` and ``en``: the row in words.

    Raises
    ------
    NotFoundError
        If the records hold no visible profile of the household.

    Examples
    --------
    >>> from relapse_risk.datasets import simulate_county
    >>> records, _ = simulate_county(600, months=24, seed=1)
    >>> history = timeline(records, "T01V01H0003")
    >>> sorted(set(history["track"]) & {"income", "line", "balance", "visit"})
    ['balance', 'income', 'line', 'visit']
    """
    import pandas as pd  # noqa: PLC0415

    seen = records if as_of is None else records.visible(as_of)
    one = _of_one(seen, household_id)
    rows = [row for rows_of_track in _TRACKS for row in rows_of_track(one)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    for column in ("occurred_on", "until", "known_on"):
        frame[column] = pd.to_datetime(frame[column])
    frame["value"] = frame["value"].astype("float64")
    return frame.sort_values("occurred_on", kind="stable", ignore_index=True)


def _of_one(records: Records, household_id: str) -> Records:
    """Return the household's own rows, latest versions alone."""
    tables = {name: records.table(name) for name in TABLES if "household_id" in TABLES[name].columns}
    tables = {name: data.filter(pc.equal(data["household_id"], household_id)) for name, data in tables.items()}
    if not tables["households"].num_rows:
        raise NotFoundError(
            f"no household of this id has a profile known before {records.end}. "
            "Ids are text, as in column household_id of table households."
        )
    return Records(tables, records.settings, records.present & tables.keys(), to_days(records.end))


def _latest(records: Records, name: str) -> list[dict[str, Any]]:
    """Return a table's records, each in the version known latest."""
    key = TABLES[name].key
    rows = sorted(records.table(name).to_pylist(), key=lambda row: row["known_on"])
    newest = {tuple(row[column] for column in key): row for row in rows}
    return sorted(newest.values(), key=lambda row: row["occurred_on"])


def _row(track: str, row: dict[str, Any], kind: str, word: Label, **more: Any) -> Row:
    cells = {"track": track, "occurred_on": row["occurred_on"], "known_on": row.get("known_on"), "kind": kind}
    cells |= {"zh": word.zh, "en": word.en, **more}
    return tuple(cells.get(column) for column in _COLUMNS)


def _word(codes: Codes | None, code: str | None) -> Label:
    return codes.labels[code] if codes and code else Label("", "")


def _with_money(word: Label, yuan: float | None) -> Label:
    return word if yuan is None else Label(f"{word.zh} {yuan:,.0f}元", f"{word.en}, {yuan:,.0f} yuan")


def _profiles(records: Records) -> Iterator[Row]:
    kinds = TABLES["households"].columns["household_type"].codes
    lifted, last = None, None
    for row in _latest(records, "households"):
        kind = _word(kinds, row["household_type"])
        n, labour = row["n_members"], row["n_labour"]
        word = Label(f"{kind.zh} {n}人,劳动力{labour}人", f"{kind.en}, {n} members, {labour} able to work")
        if word != last:
            yield _row("profile", row, row["household_type"], word, value=n, unit="persons")
        last = word
        lifted = row["lifted_on"] or lifted
    if lifted:
        yield _row("lifted", {"occurred_on": lifted}, "lifted", Label("脱贫", "lifted out of poverty"))


def _statuses(records: Records) -> Iterator[Row]:
    columns = TABLES["statuses"].columns
    for row in _latest(records, "statuses"):
        risks = [_word(columns["risk_types"].codes, code) for code in (row["risk_types"] or "").split(",") if code]
        state = Label("返贫致贫风险", "poor") if row["poor"] else Label("风险消除", "not poor")
        word = Label(
            "、".join([state.zh, *(risk.zh for risk in risks)]), ", ".join([state.en, *(risk.en for risk in risks)])
        )
        yield _row("status", row, "poor" if row["poor"] else "not poor", word, value=float(row["poor"]))


def _incomes(records: Records) -> Iterator[Row]:
    """Return each month's sum of each source, longer accounts spread over their months as the engine does it."""
    table = encode(records).table("incomes")
    lasting = np.flatnonzero(table.superseded > to_days(records.end))
    amounts: dict[tuple[int, int], float] = {}
    for month, source, yuan in zip(
        table.month[lasting], table.code("source")[lasting], derive(table, "net_yuan")[lasting], strict=True
    ):
        amounts[month, source] = amounts.get((month, source), 0.0) + float(yuan)
    for (month, source), yuan in sorted(amounts.items()):
        code = INCOME_SOURCE.values[source]
        yield _month_row("income", month, code, _with_money(INCOME_SOURCE.labels[code], yuan), yuan)


def _month_row(track: str, month: int, kind: str, word: Label, yuan: float) -> Row:
    first, last = (_first_day(month), _first_day(month + 1) - 1)
    row = {"occurred_on": from_days(first)}
    return _row(track, row, kind, word, until=from_days(last), value=yuan, unit="yuan a month")


def _first_day(month: int) -> int:
    return int(np.datetime64(int(month), "M").astype("datetime64[D]").astype(np.int64))


def _months(records: Records) -> range:
    """Return the months from the first income or visit to the records' end."""
    days = [pc.min(records.table(name)["occurred_on"]).as_py() for name in ("incomes", "visits")]
    starts = [month_number(to_days(day)) for day in days if day]
    return range(int(min(starts)), int(month_number(to_days(records.end) - 1)) + 1) if starts else range(0)


def _lines(records: Records) -> Iterator[Row]:
    """Return the household's line and, judged by it, its balance on the first day of each month."""
    import pandas as pd  # noqa: PLC0415

    encoded, months = encode(records), _months(records)
    starts = np.array([_first_day(month) for month in months], np.int32)
    monthly = household_lines(encoded.line, 0, starts, encoded.step(starts), to_days(records.end))
    known = {month: yuan for month, yuan in zip(months, monthly.tolist(), strict=True) if not np.isnan(yuan)}
    word = Label("监测线", "monitoring line")
    yield from (_month_row("line", month, "line", _with_money(word, yuan), yuan) for month, yuan in known.items())
    if not known:
        return
    feature = next((f for f in catalogue(records.settings, records.present) if f.name == BALANCE), None)
    whole = [month for month in known if month >= months[0] + YEAR]  # before, a year is not on record
    ids = pd.Index([encoded.ids[0].as_py()] * len(whole), dtype="str")
    dates = pd.DatetimeIndex([from_days(_first_day(month)) for month in whole])
    index = pd.MultiIndex.from_arrays([ids, dates], names=["household_id", "as_of"])
    balance: Sequence[float] = []
    if feature and whole:
        balance = build_features(records, index, [feature])[BALANCE].tolist()
    word = Label("近12个月月均结余", "balance a month, 12 months")
    for month, times in zip(whole, balance, strict=False):
        if not np.isnan(times):
            yuan = float(times) * known[month]
            row = {"occurred_on": from_days(_first_day(month))}
            yield _row("balance", row, "balance", _with_money(word, yuan), value=yuan, unit="yuan a month")


def _expenses(records: Records) -> Iterator[Row]:
    kinds = TABLES["expenses"].columns["kind"].codes
    for row in _latest(records, "expenses"):
        paid = row["self_paid_yuan"]
        word = _word(kinds, row["kind"])
        said = _with_money(Label(f"{word.zh}自付", f"{word.en}, self-paid"), paid)
        yield _row("expense", row, row["kind"], said, value=paid, unit="yuan")


def _visits(records: Records) -> Iterator[Row]:
    columns = TABLES["visits"].columns
    for row in _latest(records, "visits"):
        for look in LOOKS:
            grade = row[look]
            said = GRADES.get(grade, Label("未查看", "not looked at"))
            of = columns[look]
            en = of.en.partition(":")[0]
            word = Label(f"{of.zh}:{said.zh}", f"{en}: {said.en}")
            yield _row("visit", row, look, word, value=grade, unit="grade")
        if row["clue_raised"]:
            yield _row("clue", row, "clue", Label("发现线索", "a risk clue was raised"))


def _shocks(records: Records) -> Iterator[Row]:
    kinds = TABLES["shocks"].columns["kind"].codes
    for row in _latest(records, "shocks"):
        yield _row("shock", row, row["kind"], _word(kinds, row["kind"]))


def _supports(records: Records) -> Iterator[Row]:
    kinds = TABLES["supports"].columns["kind"].codes
    for row in _latest(records, "supports"):
        word = _with_money(_word(kinds, row["kind"]), row["amount_yuan"])
        yield _row("support", row, row["kind"], word, until=row["ended_on"], value=row["amount_yuan"], unit="yuan")


def _jobs(records: Records) -> Iterator[Row]:
    places = TABLES["employment"].columns["workplace"].codes
    for row in _latest(records, "employment"):
        place = _word(places, row["workplace"])
        if row["employed"]:
            where = Label(f"{_AT_WORK.zh} {place.zh}".strip(), f"{_AT_WORK.en}, {place.en}".rstrip(", "))
            word, kind = _with_money(where, row["wage_yuan"]), row["workplace"] or "in work"
        else:
            word, kind = _NOT_IN_WORK, "not in work"
        first = to_days(row["occurred_on"].replace(day=1))
        until = from_days(int(add_months(first, 1)) - 1)
        yield _row(
            "job",
            row,
            kind,
            word,
            until=until,
            person_id=row["person_id"],
            value=row["wage_yuan"],
            unit="yuan a month",
        )


def _members(records: Records) -> Iterator[Row]:
    """Return each person's profile, where what is shown of it changed."""
    columns = TABLES["members"].columns
    shown: dict[str, Label] = {}
    for row in _latest(records, "members"):
        relation, sex = (_word(columns[name].codes, row[name]) for name in ("relation", "sex"))
        health = [_word(columns["health"].codes, code) for code in (row["health"] or "").split(",") if code]
        born = row["birth_month"]
        zh = [relation.zh, sex.zh, f"{born:%Y-%m}生" if born else "", *(one.zh for one in health)]
        en = [relation.en, sex.en, f"born {born:%Y-%m}" if born else "", *(one.en for one in health)]
        if row["in_household"] is False:
            zh, en = [*zh, "已不在户"], [*en, "left the household"]
        word = Label(" ".join(filter(None, zh)), ", ".join(filter(None, en)))
        if shown.get(row["person_id"]) != word:
            yield _row("member", row, row["relation"], word, person_id=row["person_id"])
        shown[row["person_id"]] = word


_TRACKS = (_profiles, _members, _statuses, _incomes, _lines, _expenses, _visits, _shocks, _supports, _jobs)
