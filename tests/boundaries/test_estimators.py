"""Published estimators of a boundary, their intervals, and validation on the next period."""

import numpy as np
import pandas as pd
import pyarrow
import pytest
from boards import board_fit

import bayes_scaling as bs
from bayes_scaling.boundaries.estimators import ESTIMATORS, pinball, smoothed_pinball
from bayes_scaling.boundaries.simulated import true_boundary
from bayes_scaling.errors import DataError


def _ends(bars):
    """Lowest and highest values of error bars."""
    return [value for segment in bars.get_segments() for value in segment[:, 1]]


@pytest.fixture(scope="module")
def board():
    return bs.simulated_board(models=1500, benchmarks=1, bases=200, seed=4)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_cover_what_they_were_fitted_to(board, name):
    flops, score = board["flops"].to_numpy(), board["score"].to_numpy()
    for tau in (0.5, 0.9):
        assert np.mean(score <= bs.boundary_curve(name, flops, score, tau=tau)(flops)) == pytest.approx(tau, abs=0.03)


@pytest.mark.parametrize("name", ["sigmoid", "spline"])
def test_curves_find_the_true_quantile(board, name):
    at = np.array([1e22, 1e23, 1e24])
    curve = bs.boundary_curve(name, board["flops"].to_numpy(), board["score"].to_numpy(), tau=0.9)
    truth = [true_boundary(flops, tau=0.9) for flops in at]
    assert curve(at) == pytest.approx(truth, abs=0.06)


def test_the_smoothed_loss_covers_too_much_and_a_large_kappa_does_not(board):
    flops, score = board["flops"].to_numpy(), 0.1 * board["score"].to_numpy()  # differences of the order of 1 / kappa
    covered = {kappa: np.mean(score <= bs.boundary_curve("smoothed", flops, score, tau=0.9, kappa=kappa)(flops))
               for kappa in (50.0, 5000.0)}  # fmt: skip
    assert covered[50.0] > 0.96
    assert covered[5000.0] == pytest.approx(0.9, abs=0.01)
    far = np.array([0.5])
    assert smoothed_pinball(far, np.array([0.1])) == pytest.approx(pinball(far, np.array([0.1])), abs=1e-6)


def test_curves_stay_at_their_end_beyond_the_data(board):
    curve = bs.boundary_curve("sigmoid", board["flops"].to_numpy(), board["score"].to_numpy())
    assert curve(np.array([1e30])) == curve(np.array([board["flops"].max()]))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": "sigmoidal"}, "did you mean 'sigmoid'"),
        ({"flops": [1e22]}, "two columns of one length"),
        ({"score": [1.5, 0.2]}, "proportions between 0 and 1"),
        ({"tau": 0.0}, "tau must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, match):
    arguments = {"name": "binned", "flops": [1e22, 1e23], "score": [0.1, 0.2], "tau": 0.9} | change
    with pytest.raises(DataError, match=match):
        bs.boundary_curve(arguments["name"], arguments["flops"], arguments["score"], tau=arguments["tau"])


def test_the_baseline_resamples_base_models_and_keeps_the_published_point(board):
    plan = bs.plan_runs(flops=["1e23", "1e27"], benchmark="benchmark 1")
    point, drawn = (bs.baseline("boundary_binned", board, plan, resamples=n, seed=1) for n in (0, 60))
    assert float(drawn["boundary"].median(("chain", "draw"))[0]) == pytest.approx(float(point["boundary"][0, 0, 0]))
    alone = board.assign(base_model=[f"own {i}" for i in range(len(board))])
    naive = bs.boundary_baseline("binned", alone, plan, resamples=60, seed=1)
    assert float(drawn["boundary"].std(("chain", "draw"))[0]) > 1.3 * float(naive["boundary"].std(("chain", "draw"))[0])
    assert drawn["note"].to_numpy().tolist() == ["", "beyond the fitted compute: the published curve stays at its end"]
    with pytest.raises(DataError, match="did you mean 'benchmark 1'"):
        bs.baseline("boundary_binned", board, plan.assign(benchmark="benchmark 2x"), seed=1)


def test_validation_scores_every_method_on_the_same_rows():
    scores = bs.simulated_board(models=600, periods=3, seed=5)
    scores["base_model"] = "other " + scores["base_model"]
    table = bs.next_period(
        scores, estimators=["constant", "binned"], resamples=20, seed=1, fit=lambda known, seed: board_fit()
    )
    assert len(table) == 2 * 2 * 3  # pairs of periods, benchmarks, methods
    assert (table.groupby(["scored", "benchmark"])["models"].nunique() == 1).all()
    means = table.groupby("method")[["pinball", "crps", "coverage", "top_decile"]].mean()
    assert means.loc["posterior", "crps"] < means.loc["constant", "crps"]
    assert means.loc["posterior", "pinball"] < means.loc["constant", "pinball"]
    assert means.loc["posterior", "coverage"] == pytest.approx(0.98, abs=0.015)
    assert means.loc["posterior", "top_decile"] == pytest.approx(0.1, abs=0.06)
    assert (table["coverage_se"] > 0).all()
    figure = bs.plot_boundary_coverage(table)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["benchmark 1", "benchmark 2"]
    assert all(0 <= end <= 1 for panel in figure.axes for bar in panel.collections for end in _ends(bar))
    with pytest.raises(DataError, match="needs the table of next_period"):
        bs.plot_boundary_coverage(table.drop(columns="tau"))
    with pytest.raises(DataError, match="at least two periods"):
        bs.next_period(scores[scores["period"] == "P1"])


def test_scores_of_another_kind_of_frame_are_read():
    board = pyarrow.Table.from_pandas(bs.simulated_board(models=50, seed=1))
    assert len(bs.dominance(board, small="1e24", resamples=10, seed=1)) == 4


def test_a_board_without_base_models_can_be_resampled_all_the_same():
    board = bs.simulated_board(models=50, benchmarks=1, seed=1).drop(columns="base_model")
    plan = pd.DataFrame({"flops": ["1e23"], "benchmark": ["benchmark 1"]})
    assert bs.boundary_baseline("constant", board, plan, resamples=20, seed=1)["boundary"].std() > 0
