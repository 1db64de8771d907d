"""What a target costs, what more compute buys, and what a forecast is worth."""

import numpy as np
import pytest
from click.testing import CliRunner
from simulate import failed, small_fit

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.decisions.basis import OF_OTHER_LAWS
from bayes_scaling.decisions.compute_targets import first_reached
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.law_uncertainty import INCLUDED

GO_ON = {"seed": 1, "even_if_not_converged": True}


@pytest.fixture(scope="module")
def fit():
    return small_fit()


def one(fit):
    """A benchmark and a mixture that the fit saw."""
    return {name: str(fit.runs[name].iloc[0]) for name in ("benchmark", "mixture")}


def test_the_expectation_at_the_compute_that_is_enough_is_the_target(fit):
    labels = one(fit)
    plan = bs.plan_runs(flops=10 * fit.runs["flops"].max(), **labels)
    target = float(np.median(row_draws(bs.forecast(fit, plan, **GO_ON)["accuracy_mean"])))
    found = bs.compute_for(fit, target, **labels, **GO_ON)
    middle = bs.summarise_compute(found)["enough_50"].iloc[0]
    assert middle == pytest.approx(plan["flops"].iloc[0], rel=0.05)
    assert found["decades_beyond"].item() == pytest.approx(1.0, abs=0.05)


def test_the_probability_of_reaching_it_is_that_of_the_score_there(fit):
    labels, flops = one(fit), 5 * fit.runs["flops"].max()
    ahead = bs.forecast(fit, bs.plan_runs(flops=flops, **labels), **GO_ON)
    for target in np.quantile(row_draws(ahead["accuracy_mean"]), [0.2, 0.5, 0.8]):
        found = bs.compute_for(fit, float(target), **labels, **GO_ON)
        assert (found["flops"] <= flops).mean().item() == pytest.approx(
            (ahead["accuracy_mean"] >= target).mean().item(), abs=0.04
        )


def test_higher_targets_cost_more_and_may_never_be_reached(fit):
    tables = [bs.summarise_compute(bs.compute_for(fit, t, **one(fit), **GO_ON)) for t in (0.5, 0.7, 0.9, 0.999)]
    costs, never = ([table[name].iloc[0] for table in tables] for name in ("enough_50", "never"))
    assert costs == sorted(costs) and never == sorted(never)
    assert np.isinf(tables[-1]["enough_90"].iloc[0]) and "never reach it within" in tables[-1]["note"].iloc[0]


def test_a_new_run_is_less_certain_than_the_expectation(fit):
    widths = []
    for new_run in (False, True):
        flops = bs.compute_for(fit, 0.6, **one(fit), new_run=new_run, **GO_ON)["flops"]
        widths.append(float(np.log10(flops).quantile(0.75) - np.log10(flops).quantile(0.25)))
    assert widths[1] > widths[0]


def test_averages_and_several_targets(fit):
    names = [str(name) for name in fit.runs["benchmark"].unique()]
    found = bs.compute_for(fit, 0.6, average=True, **GO_ON)
    assert found["benchmark"].to_numpy().tolist() == [f"average of {len(names)}"] * fit.runs["mixture"].nunique()
    targets = {name: 0.4 + 0.1 * at for at, name in enumerate(names)}
    each = bs.compute_for(fit, targets, mixture=one(fit)["mixture"], **GO_ON)
    assert each["target"].to_numpy().tolist() == pytest.approx(list(targets.values()))
    with pytest.raises(DataError, match="no target for the benchmarks"):
        bs.compute_for(fit, {names[0]: 0.5}, **GO_ON)


def test_sizes_follow_from_compute(fit):
    found = bs.compute_for(fit, 0.6, **one(fit), tokens_per_param=40, **GO_ON)
    finite = np.isfinite(found["flops"])
    ratio = (found["tokens"] / found["params"]).where(finite)
    assert float(ratio.max()) == pytest.approx(40) and float(ratio.min()) == pytest.approx(40)


def test_curves_that_fall_and_rise_are_read_where_they_first_reach():
    score = np.array([[0.2], [0.6], [0.4], [0.8]])
    assert np.log10(first_reached(np.array([1e20, 1e21, 1e22, 1e23]), score, 0.5))[0] == pytest.approx(20.75)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"target": 1.5}, "score between 0 and 1"),
        ({"target": 0.5, "benchmark": "nothing"}, "the fit saw no benchmark 'nothing'"),
        ({"target": 0.5, "reach": 99}, "reach must be a number of decades"),
        ({"target": 0.5, "tokens_per_param": -1}, "tokens_per_param must be positive"),
    ],
)
def test_wrong_questions_are_refused(fit, arguments, match):
    with pytest.raises(DataError, match=match):
        bs.compute_for(fit, **arguments, **GO_ON)


def test_a_fit_that_failed_is_refused(fit):
    with pytest.raises(FitError, match="NOT CONVERGED"):
        bs.compute_for(failed(fit), 0.5)


def test_ten_times_the_compute_buys_what_the_forecasts_differ_by(fit):
    labels, start = one(fit), fit.runs["flops"].max()
    table = bs.elasticity(fit, start, **labels, **GO_ON)
    ahead = bs.forecast(fit, bs.plan_runs(flops=[start, 10 * start], **labels), **GO_ON)["accuracy_mean"]
    assert table["gain"].iloc[0] == pytest.approx(float((ahead[:, :, 1] - ahead[:, :, 0]).mean()), abs=1e-9)
    assert "82 % of 1,606 gains" in table.attrs["track_record"]
    single = bs.elasticity(fit, start, **labels, new_run=True, **GO_ON)
    assert np.ptp(single[["lower_80", "upper_80"]]) > np.ptp(table[["lower_80", "upper_80"]])
    assert single["gain"].iloc[0] == pytest.approx(table["gain"].iloc[0], abs=0.01)
    with pytest.raises(DataError, match="factor must be above 1"):
        bs.elasticity(fit, start, factor=1.0, **GO_ON)


def test_a_forecast_is_worth_the_items_that_would_be_as_certain(fit):
    ahead = bs.forecast(fit, bs.plan_runs(flops=[1e20, 1e24], **one(fit)), **GO_ON)
    table = bs.worth(ahead)
    assert table["items"].is_monotonic_decreasing
    variance = table["score"] * (1 - table["score"]) / table["items"]
    assert table["sd"].to_numpy() ** 2 == pytest.approx(variance.to_numpy())
    assert "said to be worth" in table.attrs["track_record"]
    assert OF_OTHER_LAWS in table.attrs["track_record"]
    wide = ahead.assign_attrs(law_uncertainty=INCLUDED)
    assert OF_OTHER_LAWS not in bs.worth(wide).attrs["track_record"]
    with pytest.raises(DataError, match="needs a forecast of scores"):
        bs.worth(fit)


def test_the_figure_shows_every_target_and_who_never_gets_there(fit, tmp_path):
    found = bs.compute_for(fit, {str(n): 0.55 for n in fit.runs["benchmark"].unique()}, **GO_ON)
    figure = bs.plot_compute_for(found)
    figure.savefig(tmp_path / "figure.png")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert figure.get_suptitle().startswith("Compute that targets need: ") and "fitted to" in figure.get_suptitle()
    assert texts.count("never") == 1 and len(texts) == found.sizes["row"] + 1
    with pytest.raises(DataError, match=r"bs\.compute_for returns"):
        bs.plot_compute_for(found.drop_vars("target"))


def test_the_commands_say_what_it_costs(fit, tmp_path):
    path = tmp_path / "fit.nc"
    fit.save(path)
    name = one(fit)["benchmark"]
    go_on = ["--seed", "1", "--even-if-not-converged"]
    done = CliRunner().invoke(main, ["compute-for", str(path), "--target", f"{name}=0.6", "--out",
                                     str(tmp_path / "t.csv"), "--plot", str(tmp_path / "t.png"), *go_on])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "enough_90" in done.stdout and (tmp_path / "t.csv").exists() and (tmp_path / "t.png").exists()
    done = CliRunner().invoke(main, ["compute-for", str(path), "--target", "much", *go_on])
    assert done.exit_code == 2 and "--target needs a score" in done.stderr
    done = CliRunner().invoke(main, ["elasticity", str(path), "--flops", "1e22", *go_on])
    assert done.exit_code == 0 and "gain" in done.stdout and "track record: asked of single runs" in done.stdout
