"""Facts that were once decided in two places: settings, weights of laws, and whether the law is uncertain."""

import inspect
import re
import warnings
from dataclasses import fields, replace

import pytest
from simulate import small_fit, variant

import bayes_scaling as bs
from bayes_scaling.errors import FitError
from bayes_scaling.forecasting.law_uncertainty import INCLUDED, NOT_INCLUDED
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.documents import from_document, load_model, to_document

REFITTING = (bs.fit, bs.average, bs.compare, bs.backtest)
SETTINGS = ("chains", "draws", "tune", "thin", "target_accept", "attempts")
QUICK = {"chains": 2, "draws": 60, "tune": 80, "attempts": 1, "seed": 1, "progress": False}


@pytest.mark.parametrize("function", REFITTING)
def test_every_function_that_fits_takes_the_same_settings(function):
    parameters = inspect.signature(function).parameters
    defaults = {field.name: field.default for field in fields(Settings)}
    assert {name: parameters[name].default for name in SETTINGS} == {name: defaults[name] for name in SETTINGS}


@pytest.mark.parametrize("function", REFITTING[1:])
def test_every_function_that_fits_again_takes_the_same_engine(function):
    parameters = inspect.signature(function).parameters
    assert {name: parameters[name].default for name in ("folder", "n_jobs", "progress")} == {
        "folder": None, "n_jobs": None, "progress": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"chains": 0}, "chains must be a whole number of 1 or more, got 0"),
        ({"draws": 2.5}, "draws must be a whole number of 1 or more, got 2.5"),
        ({"tune": "many"}, "tune must be a whole number of 1 or more, got 'many'"),
        ({"thin": -1}, "thin must be a whole number of 1 or more, got -1"),
        ({"attempts": True}, "attempts must be a whole number of 1 or more, got True"),
        ({"target_accept": 1.0}, "target_accept must be a number between 0 and 1, got 1.0"),
        ({"seed": 1.5}, "seed must be a whole number of 0 or more, got 1.5"),
    ],
)
def test_settings_out_of_range_are_refused_everywhere(wrong, match):
    fit = small_fit()
    calls = (
        lambda: bs.fit(fit.model, fit.runs, **wrong),
        lambda: bs.average([fit], **wrong),
        lambda: bs.compare([fit, fit], **wrong),
        lambda: bs.backtest(fit.model, fit.runs, **wrong),
    )
    for call in calls:
        with pytest.raises(FitError, match=f"^{re.escape(match)}$"):
            call()


@pytest.mark.slow
def test_average_and_compare_weigh_laws_of_two_stages_alike(tmp_path):
    runs = bs.load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["arc_easy", "hellaswag", "lambada_openai"]) & runs["mixture"].eq("C4")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [bs.load_model(name) for name in ("two_stage_linear", "two_stage_logistic")]
        fits = [bs.fit(model, runs.reset_index(drop=True), **QUICK) for model in models]
        given = QUICK | {"n_jobs": 2, "folder": tmp_path, "even_if_not_converged": True}
        weights = bs.average(fits, **given).weights
        kept = sorted(tmp_path.glob("*.nc"))
        table = bs.compare(fits, folds=2, refits_at_most=0, **given).table
    compared = dict(zip(table["model"], table["weight_scale"], strict=True))
    assert compared == pytest.approx(weights, abs=1e-12)
    assert len(set(weights.values())) == 2
    assert set(kept) < set(tmp_path.glob("*.nc")), "compare finds the fits that average kept, and adds its own"


@pytest.mark.parametrize(("pooling", "included"), [("partial", True), ("none", True), ("complete", False)])
def test_forecast_figure_and_terminal_agree_on_uncertainty_about_the_law(pooling, included):
    from simulate import unfitted

    from bayes_scaling.reporting.terminal import foot

    fit = unfitted(replace(load_model("power_law_discrepancy"), pooling=pooling), benchmarks=2, mixtures=2)
    plan = bs.plan_runs(flops=[1e22], benchmark="benchmark 00", mixture="mixture 0")
    ahead = bs.forecast(fit, plan, seed=1)
    words = INCLUDED if included else NOT_INCLUDED
    assert ahead.attrs["law_uncertainty"] == words
    assert words in foot(ahead)
    under = " ".join(text.get_text() for text in bs.plot_law(fit, seed=1).texts).replace("\n", " ")
    assert f"assumes that the curve goes on {'as' if included else 'exactly as'} it did" in under


def test_documents_of_before_are_read_as_those_of_now():
    document = to_document(variant("power_law"))
    responses = [{"form" if k == "law" else k: v for k, v in part.items()} for part in document["responses"]]
    before = {("heads" if key == "responses" else key): value for key, value in document.items()}
    assert to_document(from_document(before | {"heads": responses})) == document
