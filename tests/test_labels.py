"""Labels that a model varies over, from table to figure: the family of the models, and one of the user's own."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from simulate import grid, prior_points, simulate

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.errors import DataError
from bayes_scaling.inference.design import lay_out
from bayes_scaling.models.documents import from_document, load_model, to_document

FAMILIES, TOKENIZERS = ("Apus", "Bubo"), ("wide", "narrow")
QUICK = {"chains": 2, "draws": 100, "tune": 150, "attempts": 1, "progress": False, "seed": 1}
GONE_ON = "ignore:.*NOT CONVERGED|.*did not converge:bayes_scaling.errors.ScalingWarning"


def model():
    document = to_document(load_model("power_law"))
    document["varies"] = {"A": {"benchmark": 0.5, "family": 0.4, "tokenizer": 0.2}, "alpha": {"benchmark": 0.2}}
    return from_document(document | {"name": "by_family"})


@cache
def runs():
    """Runs of two families, one with two tokenizers, whose scores differ by these."""
    table = grid(benchmarks=2, mixtures=4, sizes=5)
    number = table["mixture"].str[-1].astype(int)
    table = table.assign(
        family=np.array(FAMILIES)[number // 2], tokenizer=np.array(TOKENIZERS)[number % 2], mixture="one"
    )
    table = table.assign(run=table["family"] + " " + table["tokenizer"] + " " + table["params"].astype(str))
    design = lay_out(model(), table)
    points = 0.2 * prior_points(design, 1, np.random.default_rng(3))
    layout = design.effects["A_family"]
    points[..., layout.start] = 1.5
    return simulate(model(), table, points, np.random.default_rng(3)).runs(table)


@cache
def fit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bs.fit(model(), runs(), **QUICK)


def plan(family=FAMILIES, tokenizer=TOKENIZERS):
    labels = {"family": family, "tokenizer": tokenizer}
    return bs.plan_runs(flops=[1e21], benchmark=["benchmark 00", "benchmark 01"], mixture="one", labels=labels)


def ahead(**more):
    return bs.forecast(fit(), plan(**more), seed=1, even_if_not_converged=True)


def test_a_plan_has_every_combination_of_its_labels():
    table = plan()
    assert len(table) == 2 * 2 * 2
    assert set(zip(table["family"], table["tokenizer"], strict=True)) == {(f, t) for f in FAMILIES for t in TOKENIZERS}
    assert table["run"].nunique() == 4
    assert all(
        f in run and t in run for f, t, run in zip(table["family"], table["tokenizer"], table["run"], strict=True)
    )


def test_a_forecast_its_average_and_its_table_carry_the_labels():
    found = ahead()
    for part in (found, bs.average_benchmarks(found)):
        assert {"family", "tokenizer"} <= set(part.coords)
        table = bs.summarise(part)
        assert set(table["family"]) == set(FAMILIES)
        assert set(table["tokenizer"]) == set(TOKENIZERS)
    means = bs.summarise(found).groupby("family")["mean"].mean()
    truth = runs()[runs()["flops"] == runs()["flops"].max()].groupby("family")["score"].mean()
    assert np.sign(means["Apus"] - means["Bubo"]) == np.sign(truth["Apus"] - truth["Bubo"])
    assert abs(means["Apus"] - means["Bubo"]) > 0.02


def test_a_family_that_was_never_seen_is_drawn_from_the_population():
    known, new = (
        ahead(family=name, tokenizer="wide")["accuracy_mean"].std(("chain", "draw")) for name in ("Apus", "new")
    )
    assert (new > 2 * known).all()
    both = bs.average_benchmarks(ahead(family=["Apus", "new"], tokenizer="narrow"))
    assert both["family"].values.tolist() == ["Apus", "new"]


def test_a_saved_fit_forecasts_the_same(tmp_path):
    fit().save(tmp_path / "fit.nc")
    again = bs.forecast(bs.Fit.load(tmp_path / "fit.nc"), plan(), seed=1, even_if_not_converged=True)
    assert again.equals(ahead())
    again.lock(tmp_path / "ahead.nc")
    assert bs.read_locked(tmp_path / "ahead.nc")["family"].values.tolist() == ahead()["family"].values.tolist()


def test_a_plan_without_a_label_is_refused_with_those_there_are():
    with pytest.raises(
        DataError, match=r"needs the column 'tokenizer' in the plan; the runs have \['wide', 'narrow'\]"
    ):
        bs.forecast(fit(), plan().drop(columns="tokenizer"), even_if_not_converged=True)


def test_the_only_label_that_the_runs_have_is_filled_in():
    one = runs()[runs()["tokenizer"] == "wide"].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = bs.fit(model(), one, **QUICK)
    plans = (plan(tokenizer="wide"), plan(tokenizer="wide").drop(columns="tokenizer"))
    first, second = (bs.forecast(found, table, seed=1, even_if_not_converged=True) for table in plans)
    np.testing.assert_array_equal(first["accuracy_mean"], second["accuracy_mean"])
    assert second["tokenizer"].values.tolist() == ["wide"] * 4


def test_a_figure_has_a_curve_and_a_colour_for_every_combination():
    figure = bs.plot_law(fit(), even_if_not_converged=True, seed=1)
    names = {f"{f} · {t}" for f in FAMILIES for t in TOKENIZERS}
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    assert names <= legend
    assert {f"median {name}" for name in names} <= {line.get_label() for line in figure.axes[0].lines}
    one = bs.plot_law(fit(), labels={"family": "Apus", "tokenizer": "wide"}, even_if_not_converged=True, seed=1)
    assert "Bubo" not in " ".join(text.get_text() for text in one.legends[0].get_texts())
    with pytest.raises(DataError, match=r"^the fit saw no family \['Corvus'\]; it saw \['Apus', 'Bubo'\]$"):
        bs.plot_law(fit(), labels={"family": "Corvus"}, even_if_not_converged=True)
    several = bs.plot_laws([fit()], labels={"family": "Bubo"}, even_if_not_converged=True)
    assert any("Bubo" in text.get_text() for text in several.legends[0].get_texts())


@pytest.mark.filterwarnings(GONE_ON)
def test_splits_and_backtests_leave_out_and_show_families():
    splits = bs.split_groups(runs(), "family", above=3e19)
    assert [split.name for split in splits] == [f"without family {name} above 3e19 FLOPs" for name in FAMILIES]
    past = bs.backtest(model(), runs(), splits, n_jobs=1, **QUICK)
    assert set(past.scores["family"]) == set(FAMILIES)
    assert set(past.scores["tokenizer"]) == set(TOKENIZERS)
    assert set(bs.summarise_scores(past.scores, by="family")["family"]) == set(FAMILIES)
    assert bs.plot_backtest(past).axes


def test_a_label_of_a_published_column_is_given_by_its_own_argument():
    for name in ("mixture", "flops", "benchmark"):
        with pytest.raises(DataError, match=f"^plan: '{name}' is not one of the further labels"):
            bs.plan_runs(flops=1e21, benchmark="piqa", labels={name: "a"})


# Plans: Python, the command line and published estimators take the same ones.

PLANS = {
    "params and tokens, no flops": pd.DataFrame({"params": [1e9, 7e9], "tokens": [2e10, 1.4e11]}),
    "sizes as text": pd.DataFrame({"params": ["1B", "7B"], "tokens": ["20B", "140B"]}),
    "compute as text": pd.DataFrame({"flops": ["1.2e20", "5.88e21"]}),
    "compute": pd.DataFrame({"flops": [1.2e20, 5.88e21]}),
}


@pytest.mark.parametrize("table", PLANS.values(), ids=PLANS)
def test_python_the_command_line_and_baselines_complete_a_plan_alike(table, tmp_path, capsys):
    known = runs()[(runs()["family"] == "Apus") & (runs()["tokenizer"] == "wide")].reset_index(drop=True)
    document = to_document(load_model("power_law")) | {"varies": {"A": {"benchmark": 0.5}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = bs.fit(from_document(document), known, **QUICK)
    table = table.merge(pd.DataFrame({"benchmark": ["benchmark 00", "benchmark 01"]}), how="cross")
    found.save(tmp_path / "fit.nc")
    table.to_csv(tmp_path / "plan.csv", index=False)
    here = bs.forecast(found, table, seed=1, even_if_not_converged=True)
    assert here["flops"].values.tolist() == pytest.approx([1.2e20, 1.2e20, 5.88e21, 5.88e21])
    words = ["forecast", str(tmp_path / "fit.nc"), "--plan", str(tmp_path / "plan.csv"), "--seed", "1"]
    main([*words, "--out", str(tmp_path / "out.csv"), "--even-if-not-converged"], standalone_mode=False)
    there = pd.read_csv(tmp_path / "out.csv")
    expected = bs.summarise(here, everything=True)
    for column in ("run", "benchmark", "interval_for"):
        assert there[column].tolist() == expected[column].tolist()
    np.testing.assert_allclose(there["mean"], expected["mean"])
    published = bs.baseline("direct", known, table, seed=1, resamples=3)
    assert published["run"].values.tolist() == here["run"].values.tolist()
    assert published["flops"].values.tolist() == here["flops"].values.tolist()
    capsys.readouterr()


def test_several_k_of_one_run_without_a_name_are_one_run():
    table = bs.plan_runs(flops=[1e20, 1e21], benchmark="benchmark 00", k=[1, 10, 100]).drop(columns="run")
    known = pd.concat([runs().assign(metric="pass@k", k=float(k), score=lambda t: t["score"] ** 0.5) for k in (1, 10)])
    known = known[(known["family"] == "Apus") & (known["tokenizer"] == "wide")].reset_index(drop=True)
    published = bs.baseline("repeated_sampling", known, table, seed=1, resamples=3)
    assert len(set(published["run"].values)) == 2
