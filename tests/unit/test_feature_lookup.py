"""Finding features, and saying how one is made."""

from __future__ import annotations

import dataclasses

import pytest

from relapse_risk.errors import UsageError
from relapse_risk.features.catalogue import catalogue
from relapse_risk.features.declare import Feature
from relapse_risk.features.lookup import describe_feature, find_features, select_features

FEATURES = catalogue()


def test_all_words_must_occur_in_either_language_in_any_case() -> None:
    both = find_features("走访 12个月").index
    assert len(both)
    assert set(both) == set(find_features("走访").index) & set(find_features("12个月").index)
    assert list(find_features("SELF-PAID medical").index) == list(find_features("self-paid medical").index) != []
    assert set(find_features("因病").index) == {f.name for f in FEATURES if f.risk_type == "illness"}
    assert len(find_features()) == len(FEATURES)
    assert find_features("no such thing").empty


def test_patterns_name_features_tables_and_reason_groups() -> None:
    assert set(select_features("members", FEATURES)) == {f for f in FEATURES if "members" in f.tables}
    assert {f.risk_type for f in select_features("schooling", FEATURES)} == {"schooling"}
    chosen = select_features(["grades_last", "balance_*"], FEATURES)
    assert [f.name for f in chosen] == [f.name for f in FEATURES if f in chosen]  # in the catalogue's order
    assert {"grades_last", "balance_12m"} <= {f.name for f in chosen}
    with pytest.raises(
        UsageError, match=r"'visit' names no feature. .*a table \(.*visits.*a reason group \(.*illness"
    ):
        select_features(["grades_last", "visit"], FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_is_described_by_all_that_was_declared_of_it(feature: Feature) -> None:
    text = describe_feature(feature.name)
    assert text.splitlines()[:3] == [feature.name, f"  {feature.label.zh}", f"  {feature.label.en}"]
    assert feature.aggregation.value in text
    assert feature.missing.value.zh in text
    for condition in feature.across.where if feature.across else ():
        assert condition.value.name in text
        assert describe_feature(condition.value.name).startswith(condition.value.name)
    for _, term in feature.terms:
        assert term.name in text
        assert describe_feature(term.name).startswith(term.name)
    if feature.table and not feature.terms:
        assert feature.series.table in text
        assert all(code in text for _, codes in feature.series.where for code in codes)
        assert ("everything ever" if feature.window is None else f"{feature.window} months") in text


def test_what_is_not_worded_is_described_as_it_was_declared() -> None:
    @dataclasses.dataclass(frozen=True)
    class Later(Feature):
        later: str = ""

    given = {one.name: getattr(FEATURES[0], one.name) for one in dataclasses.fields(Feature)}
    assert "later:" in describe_feature(FEATURES[0].name, [Later(**given, later="something new")])
    assert "later:" not in describe_feature(FEATURES[0].name, [Later(**given)])


def test_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no feature 'balanse'; find_features"):
        describe_feature("balanse")
