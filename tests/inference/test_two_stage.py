"""Loss and accuracy in one model: which losses are observed, what the responses share, and forecasts of both."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from simulate import grid, prior_points, simulate
from simulate import unfitted as from_prior

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError, ModelError
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.summaries import average_benchmarks, summarise
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import fit
from bayes_scaling.laws.all_laws import LAWS
from bayes_scaling.laws.changing_exponent import DECADE
from bayes_scaling.laws.registry import C0
from bayes_scaling.laws.two_stage import L0
from bayes_scaling.models.documents import from_document, list_models, load_model
from bayes_scaling.reporting.exponents_figure import plot_exponents
from bayes_scaling.reporting.law_figure import plot_law

TWO_STAGE = [n for n in list_models() if len(load_model(n).responses) == 2]
BENCHMARKS = ["benchmark 00", "benchmark 02"]
every_two_stage = pytest.mark.parametrize("name", TWO_STAGE)


def loss_head(design):
    return design.responses[[response_model.name for response_model in design.model.responses].index("loss")]


def only_loss(**document):
    response_model = {"response": "loss", "law": "loss_power_law", "likelihood": "log_normal"}
    return from_document({"name": "only_loss", "responses": [response_model]} | document)


@cache
def unfitted(name):
    """A fit whose draws come from the prior."""
    return from_prior(load_model(name), benchmarks=3, mixtures=2)


@cache
def ahead(name):
    plan = plan_runs(flops=[1e21, 1e22], tokens_per_param=20, benchmark=BENCHMARKS, mixture="mixture 0")
    return forecast(unfitted(name), plan, seed=1)


def test_there_are_such_models():
    assert {"two_stage_linear", "two_stage_logistic", "two_stage_params_tokens"} <= set(TWO_STAGE)


@every_two_stage
@pytest.mark.parametrize(("dataset", "val_set"), [("gadre2024", "c4_val"), ("olmo_ladder", "c4_en")])
def test_each_run_has_one_loss_that_stands_beside_its_scores(name, dataset, val_set):
    runs = load_dataset(dataset)
    rows = runs.iloc[loss_head(lay_out(load_model(name), runs)).rows]
    assert set(rows["val_set"]) == {val_set}
    assert sorted(rows["run"]) == sorted(runs["run"].unique())


@every_two_stage
def test_losses_in_rows_of_their_own_are_used_where_none_stands_beside_a_score(name):
    table = grid(benchmarks=2, mixtures=2)
    alone = table.drop_duplicates("run").assign(benchmark=np.nan, score=np.nan)
    runs = pd.concat([table.assign(loss=np.nan), alone], ignore_index=True)
    beside, apart = lay_out(load_model(name), table), lay_out(load_model(name), runs)
    assert apart.levels == beside.levels  # "nan" is no benchmark
    np.testing.assert_array_equal(loss_head(apart).observed, loss_head(beside).observed)
    assert loss_head(apart).rows.min() >= len(table)


def test_runs_without_a_loss_still_tell_about_their_scores():
    table = grid(benchmarks=2, mixtures=1)
    table.loc[table["run"] == table["run"].iloc[0], "loss"] = np.nan
    design = lay_out(load_model("two_stage_logistic"), table)
    assert [len(response_model.rows) for response_model in design.responses] == [table["run"].nunique() - 1, len(table)]


def test_losses_on_several_validation_sets_are_refused_until_one_is_chosen():
    runs = load_dataset("gadre2024")
    with pytest.raises(
        DataError, match=r"'only_loss' forecasts one loss: .* \['c4_val', 'openlm'.*keep one, as in runs"
    ):
        lay_out(only_loss(), runs)
    assert len(loss_head(lay_out(only_loss(), runs[runs["val_set"] == "paloma_ptb"])).rows) == 104
    several = lay_out(only_loss(varies={"loss_at_reference": {"val_set": 0.1}}), runs)
    assert len(several.levels["val_set"]) == 8
    assert len(loss_head(several).rows) == 8 * 104


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"varies": {"alpha": {"benchmark": 0.1}}}, r"one loss for all benchmarks: .*'alpha'.* cannot vary by them$"),
        (
            {"law": "loss_power_law", "likelihood": "beta"},
            r"loss cannot go with .* and 'beta', a likelihood of scores;",
        ),
        ({"law": "loss_logistic"}, r"'loss_logistic' must begin with a law of columns"),
        ({"law": "power_law"}, r"must .* end in loss, .* here power_law gives neglog$"),
    ],
)
def test_what_cannot_be_is_refused(change, match):
    varies = {key: value for key, value in change.items() if key == "varies"}
    response_model = {"response": "loss", "law": "loss_power_law", "likelihood": "log_normal"} | change
    with pytest.raises(ModelError, match=match):
        only_loss(responses=[{key: response_model[key] for key in ("response", "law", "likelihood")}], **varies)


@every_two_stage
def test_the_forecast_of_a_run_holds_one_loss_for_all_its_benchmarks(name):
    found = ahead(name)
    assert list(found.data_vars) == ["loss_mean", "loss", "accuracy_mean", "accuracy"]
    first, second = (found.sel(row=found["benchmark"] == b) for b in BENCHMARKS)
    for response in ("loss_mean", "loss"):
        np.testing.assert_array_equal(first[response], second[response])
    assert not np.array_equal(first["accuracy_mean"], second["accuracy_mean"])
    assert (found["loss"] > 0).all()
    scatter = np.log(found["loss"] / found["loss_mean"])
    own = unfitted(name).posterior["loss_scatter"].to_numpy()[..., None]
    standard = (scatter / own).values.reshape(-1, len(found["row"]))
    assert standard.std() == pytest.approx(1.0, rel=0.05)
    assert abs(np.corrcoef(standard[:, 0], standard[:, -1])[0, 1]) < 3 / len(standard) ** 0.5  # two runs


@every_two_stage
def test_scores_follow_from_the_expected_loss(name):
    found, posterior = ahead(name), unfitted(name).posterior.sel(benchmark=BENCHMARKS[1], mixture="mixture 0")
    if "level" in posterior and "steepness" in posterior:
        rows = found.sel(row=found["benchmark"] == BENCHMARKS[1])  # its chance is 0
        odds = posterior["level"] - posterior["steepness"] * (rows["loss_mean"] - L0)
        expected = np.exp(-posterior.get("E", 0.0)) / (1 + np.exp(-odds))
        apart = np.abs(rows["accuracy_mean"].transpose(*expected.dims) - expected)
        assert (apart < 1e-10).all() != load_model(name).leaves_law


@every_two_stage
def test_tables_averages_and_pictures_take_both_responses(name):
    table = summarise(ahead(name), probabilities=[0.8])
    assert set(table["response"]) == {"loss", "accuracy"}
    assert len(table) == 4 * ahead(name).sizes["row"]
    average = average_benchmarks(ahead(name))
    np.testing.assert_allclose(average["loss"], ahead(name)["loss"].isel(row=slice(0, None, 2)), rtol=1e-12)
    assert len(plot_law(unfitted(name), seed=1).axes) == 3
    assert plot_exponents(unfitted(name)).axes


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")  # a short run is enough here
def test_measured_losses_inform_the_forecast_of_scores():
    model, table = load_model("two_stage_logistic"), grid(benchmarks=3, mixtures=1)
    rng = np.random.default_rng(3)
    world = simulate(model, table, 0.5 * prior_points(lay_out(model, table), 1, rng), rng)
    both = fit(model, world.runs(table), seed=1, chains=2, draws=300, tune=300, attempts=1)
    assert float(both.posterior["loss_at_reference"].std()) < 0.1  # a tenth of what the prior leaves open
    assert set(both.posterior["loss_at_reference"].dims) == {"chain", "draw", "mixture"}
    plan = plan_runs(flops=[1e22], benchmark=BENCHMARKS, mixture="mixture 0")
    found = forecast(both, plan, seed=1, even_if_not_converged=True)
    truth = world.truth[["loss_at_reference", "irreducible", "alpha"]].isel(chain=0, draw=0).squeeze()
    expected = LAWS["loss_power_law"](1e22, **{str(n): float(v) for n, v in truth.items()})
    assert float(found["loss_mean"].mean()) == pytest.approx(expected, rel=0.02)


def test_a_change_of_exponent_is_where_it_is_said_to_be():
    x = np.array([-12.0, -11.0, 11.0, 12.0]) * DECADE
    h = np.log(LAWS["broken_power_law"](C0 * np.exp(x), A=1.0, alpha=0.2, after=0.5, break_at=1.0, width=0.4))
    np.testing.assert_allclose(-np.diff(h)[[0, 2]] / DECADE, [0.2, 0.1], rtol=1e-6)
    h = np.log(LAWS["curved_power_law"](C0 * np.exp(x), A=1.0, alpha=0.2, curvature=0.5, bend=3.0))
    np.testing.assert_allclose(-np.diff(h)[[0, 2]] / DECADE, 0.2 * (1 + np.tanh([0.5, -0.5])), rtol=1e-2)
    score = np.exp(-LAWS["bnsl"](C0 * np.exp(x), level=0.3, growth=0.1, slowing=1.0, break_at=0.0, width=0.6))
    np.testing.assert_allclose(np.diff(np.log(score))[[0, 2]] / DECADE, [0.2, 0.0], atol=1e-6)


def test_without_a_change_of_exponent_bent_laws_are_the_power_law():
    flops = np.geomspace(1e17, 1e25, 9)
    straight = LAWS["power_law"](flops, A=1.3, alpha=0.2)
    broken = LAWS["broken_power_law"](flops, A=1.3, alpha=0.2, after=1.0, break_at=0.5, width=0.4)
    curved = LAWS["curved_power_law"](flops, A=1.3, alpha=0.2, curvature=0.0, bend=3.0)
    np.testing.assert_allclose(broken, straight, rtol=1e-12)
    np.testing.assert_allclose(curved, straight, rtol=1e-12)
