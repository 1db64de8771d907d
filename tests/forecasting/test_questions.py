"""A forecast says, on the row and in a warning, where the plan asks for what the fitted runs cannot tell."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.forecasting.mixture import joined_notes
from bayes_scaling.forecasting.questions import questions
from bayes_scaling.models.documents import load_model

RUNS = pd.DataFrame(
    {
        "params": [1e8, 2e8, 4e8, 8e8], "tokens": [2e9, 4e9, 8e9, 16e9], "flops": [1.2e18, 4.8e18, 1.92e19, 7.68e19],
        "benchmark": "piqa", "mixture": ["C4", "C4", "RPJ", "RPJ"], "metric": "accuracy", "chance": 0.5,
        "n_items": 1000.0, "n_samples": np.nan,
    }
)  # fmt: skip
PLAN = {"params": 2e9, "tokens": 4e10, "flops": 4.8e20, "benchmark": "piqa", "mixture": "C4"}


def remarks(model="power_law", runs=RUNS, labels=("benchmark", "mixture"), **change):
    return questions(runs, pd.DataFrame([PLAN | change, PLAN]), load_model(model), labels).tolist()


def test_what_the_runs_can_tell_has_no_remark():
    assert remarks() == ["", ""]
    assert remarks("params_tokens") == ["", ""]


@pytest.mark.parametrize(
    ("model", "change", "remark"),
    [
        ("power_law", {"mixture": "RPJj"},
         "mixture 'RPJj' never seen: drawn from the population (did you mean 'RPJ'?)"),
        ("power_law", {"mixture": "Pile"}, "mixture 'Pile' never seen: drawn from the population"),
        ("power_law", {"params": 7e8 / 5, "tokens": 8e10, "flops": 6.72e19},
         "571 tokens per parameter, where the fitted runs have 20, and this law reads compute alone"),
        ("params_tokens", {"tokens": 4e10, "params": 2e8, "flops": 4.8e19},
         "200 tokens per parameter, where the fitted runs have 20"),
        ("power_law", {"metric": "exact_match"}, "metric 'exact_match', where the fitted runs have 'accuracy'"),
        ("power_law", {"metric": "accuracy", "chance": 0.25}, "chance 0.25, where the fitted runs have 0.5"),
        ("power_law", {"n_items": 200.0}, "n_items 200, where the fitted runs have 1000"),
        ("power_law", {"flops": 1e17, "params": np.nan},
         "less compute than any fitted run: the law is asked backwards"),
        ("power_law", {"flops": 1e24, "params": np.nan},
         "more than 4 decades of compute beyond the fitted runs: no backtest reached that"),
        ("power_law", {"flops": 1e22, "params": np.nan},
         "more than 1.5 decades of compute beyond the fitted runs: too far for bands to have been checked"),
    ],
)  # fmt: skip
def test_each_question_has_its_remark_on_its_row(model, change, remark):
    assert remarks(model, **change) == [remark, ""]


def test_a_size_that_never_varied_is_named():
    runs = RUNS.assign(tokens=2e9)
    assert any("tokens never varied in the fitted runs" in text for text in remarks("params_tokens", runs))
    assert not any("never varied" in text for text in remarks("power_law", runs))


def test_k_beyond_the_samples_is_named():
    runs = RUNS.assign(n_samples=1.0, metric="pass@k", chance=0.0)
    wanted = "k beyond the 1 sample drawn: what is beyond comes from the prior"
    assert remarks(runs=runs, k=10.0) == [wanted, ""]


def test_the_forecast_warns_and_notes():
    fit = small_fit()
    known = fit.runs.iloc[0]
    flops = [fit.runs["flops"].max() * times for times in (3, 1e5)]
    plan = bs.plan_runs(flops=flops, benchmark=known["benchmark"], mixture=known["mixture"])
    with pytest.warns(ScalingWarning, match=r"the plan asks what the runs cannot tell: more than 4 decades"):
        ahead = bs.forecast(fit, plan, seed=1)
    far = [("more than 4 decades" in note) for note in ahead["note"].to_numpy()]
    assert far == [False, True]


def test_an_average_keeps_the_remarks_of_every_law():
    laws = [xr.Dataset(coords={"note": ("row", np.array(notes, dtype=object))}) for notes in (["a", ""], ["a; b", ""])]
    assert joined_notes(laws).tolist() == ["a; b", ""]
