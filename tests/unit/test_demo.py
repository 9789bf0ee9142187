"""``relapse demo``: what a newcomer sees first."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from relapse_risk.cli import main
from relapse_risk.model.bundle import load_model


@pytest.mark.usefixtures("few_trees")
def test_the_demo_leaves_a_county_two_models_and_a_ranked_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--out", str(out), "--households", "600", "--json"])
    assert ended.value.code == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    scores = pd.read_parquet(out / "scores.parquet")
    assert len(scores) == answer["households_scored"]
    assert scores.groupby("grid_id")["place_in_grid"].min().eq(1).all()
    judged, latest = (load_model(out / "models" / version) for version in answer["models"])
    assert judged.info.training.until < latest.info.training.until == answer["as_of"]
    ranked = answer["metrics"]["fall"]["scores"]
    assert {"model", "lowest income to line", "warning thresholds", "truth (the ceiling)"} <= set(ranked)
    assert ranked["truth (the ceiling)"]["auc_within_dates"] > ranked["lowest income to line"]["auc_within_dates"]
    for group, of_group in answer["auc_within_dates"].items():
        for name, order in of_group.items():
            assert order["value"] == answer["metrics"][group]["scores"][name]["auc_within_dates"]
            assert order["low"] <= order["value"] <= order["high"]
            assert (order["model_better_by"] is None) == (name == "model")
        lowest = of_group["lowest income to line"]
        assert lowest["model_better_by"] == pytest.approx(of_group["model"]["value"] - lowest["value"])
        assert lowest["model_better_low"] <= lowest["model_better_by"] <= lowest["model_better_high"]
    assert "Where 0 lies between the last two numbers" in printed.err
    assert "A score orders visits; it decides nothing" in printed.err
    assert "Visit list of grid" in printed.err
