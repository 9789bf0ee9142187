"""Dates, amounts and encodings: whatever a county writes of a value, the value comes back or is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relapse_risk.datasets.exports.amounts import PERIODS, SIZES, Unit, read_amounts, read_unit
from relapse_risk.datasets.exports.cells import Cells
from relapse_risk.datasets.exports.date_cells import read_date, read_dates
from relapse_risk.datasets.exports.encoding import ByteStream, as_utf8, detect, is_garbled
from relapse_risk.datasets.exports.merge import merge
from relapse_risk.dates import from_days
from relapse_risk.errors import ImportRefused
from relapse_risk.records.schema import arrow_schema
from relapse_risk.records.tables import TABLES

days = st.dates(dt.date(1930, 1, 1), dt.date(2099, 12, 31))
FORMS = {
    "iso": "{d:%Y-%m-%d}",
    "slashed": "{d.year}/{d.month}/{d.day}",
    "dotted": "{d:%Y.%m.%d}",
    "digits": "{d:%Y%m%d}",
    "chinese": "{d.year}年{d.month}月{d.day}日",
    "padded": "{d:%Y年%m月%d日}",
    "clock": "{d:%Y-%m-%d} 09:30",
    "seconds": "{d.year}/{d.month}/{d.day} 9:30:15",
    "zone": "{d:%Y-%m-%d} 09:30:15.123+08",
    "stamp": "{d:%Y-%m-%d}T00:00:00",
    "serial": "{serial}",
    "serial with a time": "{serial}.4375",
}
MONTHS = (
    "{d:%Y-%m}",
    "{d:%Y/%m}",
    "{d.year}/{d.month}",
    "{d:%Y%m}",
    "{d.year}年{d.month}月",
    "{d.year}年{d.month}月份",
    "{d:%Y.%m}",
)


def column(*cells: object) -> Cells:
    return Cells.of_objects(cells).blank_where(())


@given(days, st.sampled_from(sorted(FORMS)), st.booleans())
def test_a_day_comes_back_from_every_form(day: dt.date, form: str, wide: bool) -> None:
    text = FORMS[form].format(d=day, serial=(day - dt.date(1899, 12, 30)).days)
    if wide:
        text = text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        if form in ("clock", "seconds", "zone", "stamp"):
            return
    read = read_dates(column(text, "", text))
    assert [from_days(d) for d in read.days[[0, 2]]] == [day, day]
    assert read.missing.tolist() == [False, True, False]
    assert not read.bad.any()


@given(days)
def test_a_spreadsheets_own_days_and_serials_come_back(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    stamp = dt.datetime.combine(day, dt.time(9, 30))
    read = read_dates(column(day, stamp, serial, float(serial), serial + 0.4, int(f"{day:%Y%m%d}")))
    assert {from_days(d) for d in read.days} == {day}
    assert not read.bad.any()


@given(days, st.sampled_from(MONTHS))
def test_a_month_is_recognised_by_its_first_and_last_day(day: dt.date, form: str) -> None:
    span = read_date(form.format(d=day))
    assert span is not None
    first, last = map(from_days, span)
    assert (first, first.month) == (day.replace(day=1), last.month)
    assert (last + dt.timedelta(days=1)).day == 1
    assert read_date(form.format(d=day), coarsest="day") is None
    assert read_date(f"{day.year}年", coarsest="month") is None
    year = read_date(f"{day.year}年", coarsest="year")
    assert year is not None
    assert [str(from_days(d))[4:] for d in year] == ["-01-01", "-12-31"]


@given(st.integers(1930, 2099), st.integers(1, 4))
def test_a_quarter_and_a_half_year_are_dates_where_the_mapping_says_so(year: int, nth: int) -> None:
    ends = ["03-31", "06-30", "09-30", "12-31"]
    for form in ("{y}年第{n}季度", "{y}年{n}季", "{y}Q{n}", "{y}-q{n}", "{y}年{z}季度"):
        text = form.format(y=year, n=nth, z="一二三四"[nth - 1])
        span = read_date(text, "quarter")
        assert span is not None, text
        assert [str(from_days(d)) for d in span] == [f"{year}-{3 * nth - 2:02d}-01", f"{year}-{ends[nth - 1]}"]
        assert read_date(text) is None
    for half, word in enumerate("上下"):
        span = read_date(f"{year}年{word}半年", "half")
        assert span is not None
        assert [str(from_days(d)) for d in span] == [
            f"{year}-{6 * half + 1:02d}-01",
            f"{year}-{ends[2 * half + 1]}",
        ]
        assert read_date(f"{year}年{word}半年", "quarter") is None


@given(st.text(max_size=12))
def test_no_text_breaks_the_readers(text: str) -> None:
    read = read_dates(column(text, text))
    assert read.bad.tolist() == [read.bad[0]] * 2
    amounts = read_amounts(column(text), "yuan", Unit(1.0), None)
    assert amounts.missing[0] or amounts.bad[0] or amounts.unit_unknown[0] or amounts.values[0] == amounts.values[0]


NO_DAYS = (
    *("5月1日", "1/5/2023", "01-05-23", "23/5/1", "2023-5/1", "2023-13-01", "2023-02-30", "二〇二三年五月", "45"),
    *("99999", "2023-05-01 09:30+00", "2023-05-01Z", "2023.", "-45047", "20231301", "2023年", "0000-00-00"),
)


@pytest.mark.parametrize("text", NO_DAYS)
def test_what_is_no_day_or_might_be_another_is_not_guessed(text: str) -> None:
    assert read_dates(column(text)).bad.tolist() == [True]


def test_a_number_with_a_fraction_is_no_month() -> None:
    """A spreadsheet shows October as 2023.1: as a number it may be January or October, as text it is January."""
    assert read_dates(column(2023.1, "2023.1", "2023.10")).bad.tolist() == [True, False, False]


amounts_ = st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False)


@given(
    amounts_, st.sampled_from(sorted(SIZES["yuan"])), st.sampled_from([None, *sorted(PERIODS)]), st.integers(1, 60)
)
def test_an_amount_is_its_number_times_its_unit(
    number: Decimal, size: str, period: str | None, months: int
) -> None:
    unit = read_unit(f"{size}/{period}" if period else size, "yuan")
    assert unit is not None
    exact = number * Decimal(str(SIZES["yuan"][size])) * (Decimal(months) / PERIODS[period] if period else 1)
    for text in (f"{number}", f"{number:,}", f"￥{number}", f" {number} "):
        read = read_amounts(column(text), "yuan", unit, months)
        assert abs(Decimal(float(read.values[0])) - exact) <= max(Decimal("1e-6"), abs(exact) * Decimal("1e-15"))
    if not period:
        own = read_amounts(column(f"{number}{size}"), "yuan", Unit(12345.0), months)
        assert abs(Decimal(float(own.values[0])) - exact) <= max(Decimal("1e-6"), abs(exact) * Decimal("1e-15"))
        by_row = read_amounts(column(f"{number}"), "yuan", Unit(12345.0), months, column(size))
        assert by_row.values[0] == own.values[0]


def test_a_rate_without_its_months_is_an_unknown_unit() -> None:
    read = read_amounts(column("100元/月", "100", ""), "yuan", Unit(1.0), None, column("", "元/年", "元/年"))
    assert read.unit_unknown.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "text", ["1,5", "1,23,456", "(500)", "1e", "约300", "3~5", "一千", "1.2.3", "--5", "", "nan", "inf"]
)
def test_what_is_no_number_is_not_guessed(text: str) -> None:
    read = read_amounts(column(text), "yuan", Unit(1.0), None)
    assert read.bad[0] or read.missing[0] or read.unit_unknown[0]


hanzi = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)
lines = st.lists(
    st.one_of(hanzi, st.text(st.characters(min_codepoint=32, max_codepoint=126))), min_size=1, max_size=8
)


@given(lines, st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.integers(1, 50))
def test_a_file_is_read_as_it_was_written_or_refused(text: list[str], encoding: str, size: int) -> None:
    whole = "\n".join(text)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(whole.encode(encoding))
        try:
            codec = detect(path)
        except ImportRefused:
            assert encoding == "gb18030", "only bytes that are valid in two encodings are refused"
            return
        stream = ByteStream(as_utf8(path, codec))
        read = b"".join(iter(lambda: stream.read(size), b""))
    if read.decode("utf-8") != whole:
        # GBK bytes that happen to be Western UTF-8: seen as garbled by whoever reads them
        assert encoding == "gb18030"
        assert any(is_garbled(cell) for cell in read.decode("utf-8").splitlines())


@given(hanzi)
def test_no_short_chinese_text_is_taken_for_garbled_but_its_garbled_form_is(text: str) -> None:
    common = "".join(
        char for char in text if char.encode("gb18030")[0] >= 0xB0 and len(char.encode("gb18030")) == 2
    )
    assert not is_garbled(f"户{text[:2]}")
    if common:
        assert is_garbled(f"{common}户编号".encode("gbk").decode("latin-1"))
        assert is_garbled(f"{common}户编号走访日期".encode().decode("gb18030", errors="ignore"))


version = st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 20), st.sampled_from([1.0, 2.0]))


def _rows(drawn: list[tuple[str, int, float]]) -> pa.Table:
    unique = {(key, known): yuan for key, known, yuan in drawn}
    rows = [
        {
            "household_id": key,
            "occurred_on": dt.date(1990, 1, 1),
            "known_on": dt.date(1990, 1, 1) + dt.timedelta(days=known),
            "source": "wage",
            "amount_yuan": yuan,
        }
        for (key, known), yuan in unique.items()
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["incomes"]))


def _state(table: pa.Table, before: dt.date) -> dict[str, float]:
    """Return what each household's income was held to be before a day."""
    rows = sorted(table.to_pylist(), key=lambda row: row["known_on"])
    return {row["household_id"]: row["amount_yuan"] for row in rows if row["known_on"] < before}


@given(st.lists(version, max_size=8), st.lists(version, max_size=8), st.integers(21, 40), st.permutations(range(8)))
def test_merging_keeps_the_past_and_ends_with_the_export(
    held: list[tuple[str, int, float]], fresh: list[tuple[str, int, float]], later: int, order: list[int]
) -> None:
    table, first = TABLES["incomes"], dt.date(1990, 1, 1)
    epoch = (first - dt.date(1970, 1, 1)).days
    before, export = _rows(held), _rows(fresh)
    shuffled = export.take(pa.array([place for place in order if place < export.num_rows], pa.int64()))
    merged = merge(table, before, shuffled, epoch + later, epoch + 21)
    for day in range(22):
        as_of = first + dt.timedelta(days=day)
        assert _state(merged.data, as_of) == _state(before, as_of)
    end = first + dt.timedelta(days=later + 1)
    assert _state(merged.data, end) == {**_state(before, end), **_state(export, end)}
    keys = [(row["household_id"], row["known_on"]) for row in merged.data.to_pylist()]
    assert len(keys) == len(set(keys))
    assert merged.data.equals(merge(table, before, export, epoch + later, epoch + 21).data), "order changes nothing"
    c = merged.counts
    assert merged.data.num_rows == before.num_rows + c.new + c.corrected
    again = merge(table, merged.data, export, epoch + later + 1, epoch + later + 1)
    assert again.data.equals(merged.data), "the same export again adds nothing"
