"""The benchmark of pooling thins data as it says, compares what it should, and its command runs."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import grid

import bayes_scaling as bs
from bayes_scaling.evaluation.row_masks import check_splits
from bayes_scaling.models.documents import to_document

FOLDER = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks are part of the repository alone")


@pytest.fixture
def pooling(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("pooling")


@pytest.fixture
def runs():
    """Four benchmarks on three mixtures of six sizes."""
    return grid(mixtures=3)


def below(runs, sizes=5):
    return runs["params"].rank(method="dense").le(sizes).to_numpy()


def counted(runs, mask, by):
    return runs[mask].groupby(by)["run"].nunique()


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("n", [4, 5, 6])
def test_few_runs_of_every_benchmark_are_spread_over_compute_and_mixtures(pooling, runs, n, same):
    small = below(runs)
    fitted = pooling.few_runs(runs, small, n, same=same, seed=1)
    assert counted(runs, fitted, "benchmark").tolist() == [n] * 4
    assert not (fitted & ~small).any()
    for _, table in runs[fitted].groupby("benchmark"):
        assert table["flops"].nunique() >= 3
        assert np.ptp(table["mixture"].value_counts().reindex(runs["mixture"].unique(), fill_value=0)) <= 1
    sets = runs[fitted].groupby("benchmark")["run"].agg(frozenset)
    assert (sets.nunique() == 1) is same
    assert (fitted == pooling.few_runs(runs, small, n, same=same, seed=1)).all()
    assert (fitted != pooling.few_runs(runs, small, n, same=same, seed=2)).any()


def test_one_mixture_alone_is_fitted_and_forecast(pooling, runs):
    splits = list(pooling.few_of_each(runs, below(runs), "small", 2))
    check_splits(splits, runs)
    assert len(splits) == 3 * (2 * 2 + 1)  # of five small runs four can be chosen, and five in one way only
    for split in splits:
        assert set(runs["mixture"][split.fitted]) == set(runs["mixture"][split.held_out]) == {split.name[-9:]}
        assert set(counted(runs, split.fitted, "benchmark")) == {int(split.name[0])}
        assert runs["params"][split.held_out].nunique() == 1


@pytest.mark.parametrize(
    ("which", "sizes"), [("smallest", [1, 2, 3]), ("largest", [3, 4, 5]), ("spread out", [1, 3, 5])]
)
def test_a_new_mixture_has_three_runs_beside_the_others(pooling, runs, which, sizes):
    small, size = below(runs), runs["params"].rank(method="dense")
    splits = list(pooling.new(runs, small, (which,)))
    check_splits(splits, runs)
    assert len(splits) == 3 * 2
    for split in splits:
        mixture = split.name.partition(":")[0]
        own = (runs["mixture"] == mixture).to_numpy()
        assert sorted(size[split.fitted & own].unique()) == sizes
        assert (split.held_out == (own & ~small)).all()
        assert (split.fitted[~own] == (True if "beside all" in split.name else small[~own])).all()


def test_shipped_data_are_thinned_without_overlap(pooling):
    for case in pooling.cases(None, 1):
        check_splits(case.splits, case.runs)
        assert (
            len({m.name for m in case.models()})
            == len(case.models())
            == len(case.laws) * (3 if "one mixture" in case.design else 5)
        )


@pytest.mark.parametrize("law", ["power_law", "power_law_discrepancy", "params_tokens"])
def test_only_what_varies_over_what_changes_with_the_pooling(pooling, law):
    registered = to_document(bs.load_model(law))
    for name in pooling.POOLINGS:
        kind, _, alike = name.partition(", ")
        document = to_document(pooling.pooled(law, name))
        assert document["pooling"] == kind
        assert {k for k in document if document[k] != registered[k]} <= {"name", "pooling", "varies", "discrepancy"}
        if alike:
            assert pooling.pooled(law, name).groups == ("benchmark",)
        else:
            assert (document["varies"], document["discrepancy"]) == (registered["varies"], registered["discrepancy"])


def test_partial_pooling_is_compared_row_by_row_with_its_rivals(pooling):
    """A rival that is worse by 0.02 on every row, whatever the rows are like, differs by just that."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        [(s, r, b) for s in ("one", "two") for r in "abcd" for b in ("x", "y")], columns=["split", "run", "benchmark"]
    )
    base = rows.assign(crps=rng.uniform(0.01, 0.5, len(rows)), error=0.1, width_80=0.2, inside_80=True, inside_95=True)
    base = base.assign(data="d", design="few", law="law", log_score=0.0)
    worse = base.assign(crps=base["crps"] + 0.02, pooling="none").sample(frac=1, random_state=1)
    better = base.assign(crps=base["crps"].where(base["split"] == "one", 0.0), pooling="complete")
    scores = pd.concat([base.assign(pooling="partial"), worse, better, worse.assign(law="least squares")])
    fits = scores.drop_duplicates(["law", "pooling", "split"])
    shards = fits[["data", "design", "law", "pooling", "split"]].assign(converged=fits["split"] == "one")
    table = pooling.compared(scores, shards).set_index(["law", "pooling"])
    for rival in (("law", "none"), ("least squares", "none")):
        assert table.loc[rival, ["partial − this", "least", "most"]].tolist() == pytest.approx([-0.02] * 3)
        assert table.loc[rival, "wins"] == 2
    assert table.loc[("law", "complete"), "partial − this"] == pytest.approx(
        base["crps"][base["split"] == "two"].sum() / 16
    )
    assert table.loc[("law", "complete"), "wins"] == 0
    assert table["converged"].tolist() == [0.5] * 4


@pytest.mark.slow
def test_the_command_prints_a_table_and_goes_on_where_it_stopped(pooling, tmp_path, capsys):
    asked = ["--only", "one mixture: 5 runs ≤ 1.4B, the same for all, 1, C4", "--draws", "10", "--jobs", "1"]
    asked += ["--folder", str(tmp_path / "fits"), "--out", str(tmp_path / "scores.csv")]
    pooling.main(asked)
    first = capsys.readouterr().out
    for said in ("power_law_discrepancy", "complete", "least squares", "CRPS by number of runs"):
        assert said in first
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert len(scores) == (2 * 3 + 1) * 12
    assert (scores["crps"] > 0).all()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "fits").iterdir()}
    assert len(kept) == 7
    pooling.main(asked)
    assert capsys.readouterr().out == first
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "fits").iterdir()}
