"""The commands backtest and compare print what their functions find, write tables, and refuse what cannot be."""

import pandas as pd
import pytest
from click.testing import CliRunner
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.cli.commands import main

BENCHMARKS = ["--benchmark", "hellaswag", "--benchmark", "piqa"]


def run(*words):
    return CliRunner().invoke(main, [*words])


def test_a_backtest_of_an_estimator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ["backtest", "gadre2024", "--baseline", "direct", "--above", "1e20", *BENCHMARKS, "--seed", "1"]
    done = run(*asked, "--out", "scores.csv", "--plot", "calibration.png")
    assert done.exit_code == 0, done.output
    table = pd.read_csv("scores.csv")
    runs = bs.load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["hellaswag", "piqa"])]
    past = bs.backtest([], runs, bs.split_above(runs, cuts=["1e20"]), baselines="direct", seed=1, progress=False)
    assert table["crps"].to_numpy() == pytest.approx(past.scores["crps"].to_numpy())
    assert (tmp_path / "calibration.png").exists() and "cover_80" in done.stdout
    assert run(*asked, "--out", "scores.csv").exit_code == 2  # it is there already


@pytest.mark.parametrize(
    ("words", "said"),
    [(["gadre2024"], "name a model or --baseline"), (["gadre2024", "power_low"], "power_law"),
     (["gadre2024", "--baseline", "direct", "--above", "1e99"], "1e99"), (["nothing.csv", "power_law"], "no such file"),
     (["gadre2024", "--baseline", "direct", "--benchmark", "hellaswagg"], "did you mean 'hellaswag'")],
)  # fmt: skip
def test_backtests_that_cannot_be_are_refused_before_any_work(words, said):
    done = run("backtest", *words)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())


def test_a_comparison_needs_two_fits_of_one_table(tmp_path):
    small_fit().save(tmp_path / "fit.nc")
    done = run("compare", str(tmp_path / "fit.nc"))
    assert done.exit_code == 2 and "two" in done.output
    assert run("compare", str(tmp_path / "none.nc"), str(tmp_path / "fit.nc")).exit_code == 2


@pytest.mark.slow
def test_a_comparison_of_two_fits(tmp_path):
    runs = bs.load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["hellaswag", "piqa"]) & (runs["tokens_per_param"] == 20)]
    for law in ("power_law", "power_law_ceiling"):
        bs.fit(law, runs, seed=1, draws=500, thin=2, progress=False).save(tmp_path / f"{law}.nc")
    files = [str(tmp_path / f"{law}.nc") for law in ("power_law", "power_law_ceiling")]
    done = run("compare", *files, "--seed", "1", "--draws", "300", "--attempts", "1", "--out", str(tmp_path / "t.csv"),
               "--even-if-not-converged")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert set(pd.read_csv(tmp_path / "t.csv")["model"]) == {"power_law", "power_law_ceiling"}
