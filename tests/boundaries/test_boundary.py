"""The boundary: cells are exact, effects are integrated out exactly, quantiles are those of one distribution."""

import numpy as np
import pandas as pd
import pytest
from boards import board_fit
from scipy.special import logit
from scipy.stats import multivariate_normal

import bayes_scaling as bs
from bayes_scaling.boundaries.cells import cells_of
from bayes_scaling.boundaries.changes import _share_of_best
from bayes_scaling.boundaries.density import boundary_model, location
from bayes_scaling.boundaries.link import inverse, link, slope
from bayes_scaling.boundaries.predictive import predictive_quantile, probability_below
from bayes_scaling.boundaries.simulated import true_boundary
from bayes_scaling.errors import DataError, FileError, FitError, ModelError


def small_board(**settings):
    return bs.simulated_board(models=40, benchmarks=2, bases=5, organisations=4, seed=3, **settings)


def test_cells_hold_all_that_the_scores_say():
    board = small_board()
    cells = cells_of(board)
    value = link(board["score"], board["benchmark"].map(dict(zip(cells.benchmarks, cells.shape, strict=True))))
    assert cells.number.sum() == len(board)
    assert (cells.number * cells.mean).sum() == pytest.approx(value.sum())
    assert (cells.squares + cells.number * cells.mean**2).sum() == pytest.approx((value**2).sum())


@pytest.mark.parametrize("shape", [-1.5, -0.001, 0.001, 0.4, 1.0, 2.5])
def test_the_scale_can_be_inverted_and_has_the_slope_that_it_says(shape):
    score = np.array([0.001, 0.2, 0.5, 0.97, 0.999])
    assert inverse(link(score, shape), shape) == pytest.approx(score, rel=1e-6)
    step = 1e-6 * score
    numeric = (link(score + step, shape) - link(score - step, shape)) / (2 * step)
    assert slope(score, shape) == pytest.approx(numeric, rel=1e-4)
    assert (np.diff(link(np.linspace(0.01, 0.99, 99), shape)) > 0).all()
    assert link(score, 1.0) == pytest.approx(logit(score))


def by_hand(board, point, organisations):
    """Log density of the scores as one normal vector, base models and organisations as covariances."""
    total = 0.0
    cells = cells_of(board if organisations else board.drop(columns="organisation"))
    for number, benchmark in enumerate(cells.benchmarks):
        rows = board[board["benchmark"] == benchmark]
        x = np.log10(rows["flops"].to_numpy()) - 23
        own = {name: values[number] for name, values in point.items()}
        middle = location({n: own[n] for n in ("a", "c", "d", "f", "asymptote")}, x, cells.shape[number])
        middle = middle + np.where(rows["period"] == "P2", own["later"], 0.0)
        same = {n: rows[n].to_numpy()[:, None] == rows[n].to_numpy() for n in ("base_model", "organisation")}
        covariance = own["base_sd"] ** 2 * same["base_model"]
        noise = np.exp(2 * (own["s"] + own["r"] * x))
        if organisations:
            covariance = covariance + own["organisation_sd"] ** 2 * (same["base_model"] & same["organisation"])
        total += multivariate_normal(middle, covariance + np.diag(noise)).logpdf(
            link(rows["score"], cells.shape[number])
        )
    return total


@pytest.mark.parametrize("organisations", [True, False])
def test_base_models_and_organisations_are_integrated_out_exactly(organisations):
    import pymc as pm

    board = small_board().assign(n_items=10**9)  # no noise of the items
    cells = cells_of(board if organisations else board.drop(columns="organisation"))
    model = boundary_model(cells)
    (potential,) = model.potentials
    names = ("a", "c", "d", "f", "s", "r", "asymptote", "base_sd", "period_effect")
    names += ("organisation_sd",) if organisations else ()
    draws = pm.draw([model[name] for name in names] + [potential], draws=3, random_seed=1)
    values = dict(zip(names, draws, strict=False))
    found = draws[-1]
    wanted = []
    for at in range(3):
        point = {name: value[at] for name, value in values.items() if name != "period_effect"}
        point["later"] = values["period_effect"][at, 1]
        wanted.append(by_hand(board, point, organisations))
    constant = found - np.array(wanted)
    assert constant == pytest.approx(constant.mean(), abs=1e-6 * abs(constant.mean()) + 1e-4)


def test_quantiles_of_one_fit_never_cross():
    taus = [0.5, 0.8, 0.9, 0.98, 0.995]
    draws = np.stack([bs.boundary(board_fit(), ["1e21", "1e23", "1e26"], tau).to_numpy() for tau in taus])
    assert (np.diff(draws, axis=0) > 0).all()
    models = pd.DataFrame({"flops": [1e22, 1e25], "benchmark": "benchmark 1"})
    assert (np.diff(predictive_quantile(board_fit(), models, taus), axis=1) > 0).all()


def test_the_boundary_widens_beyond_the_data_and_does_not_go_flat():
    draws = bs.boundary(board_fit(), ["1e24", "1e26", "1e28"])
    odds = logit(draws).stack(sample=("chain", "draw"))
    assert (odds.std("sample").diff("flops") > 0).all()
    assert (draws.mean(("chain", "draw")).diff("flops") > 0).all()
    assert draws["decades_beyond"].to_numpy()[-1] > 2.9
    table = bs.summarise_boundary(draws)
    assert table["note"].str.contains("beyond the fitted models").sum() == 4


def test_the_observed_tail_has_its_share_of_the_fitted_models_above():
    scores = board_fit().scores
    for tail, share in (("normal", 0.005), ("observed", 0.1)):
        board = scores.assign(score=scores["score"] * np.where(scores["score"].rank(pct=True) > 0.8, 0.85, 1.0))
        fit = bs.BoundaryFit(board_fit().posterior, board, board_fit().verdict, 1)  # no high scores as a normal has
        reached = bs.boundary(fit, board["flops"].unique().tolist(), 0.9, period="P2", tail=tail, seed=1)
        at = reached.mean(("chain", "draw")).to_dataframe("reached")["reached"]
        later = board[board["period"] == "P2"]
        above = (
            later["score"].to_numpy() > at.loc[list(zip(later["benchmark"], later["flops"], strict=True))].to_numpy()
        )
        assert above.mean() == pytest.approx(share, abs=0.05), tail
    with pytest.raises(DataError, match="tail must be"):
        bs.boundary(board_fit(), "1e24", tail="fat")


def test_the_next_period_is_less_certain_and_a_known_base_narrower():
    last, ahead = (bs.boundary(board_fit(), "1e24", period=one, seed=1).std() for one in ("P2", "next"))
    assert ahead > last
    new, known = (bs.boundary(board_fit(), "1e24", base=one).mean() for one in (None, "base 1"))
    assert new != known


def test_draws_lie_around_the_true_boundary():
    reached = bs.boundary(board_fit(), ["1e22", "1e24"], period="P1").mean(("chain", "draw"))
    for number in range(2):
        truth = [true_boundary(flops, number=number) for flops in (1e22, 1e24)]
        assert reached.isel(benchmark=number).to_numpy() == pytest.approx(truth, abs=0.05)


def test_the_predictive_probability_inverts_the_predictive_quantile():
    models = pd.DataFrame({"flops": [1e22, 1e24], "benchmark": "benchmark 1", "base_model": ["base 1", "a new one"]})
    at = predictive_quantile(board_fit(), models, 0.9)
    assert probability_below(board_fit(), models.assign(score=at)) == pytest.approx([0.9, 0.9], abs=1e-4)


def test_a_fit_that_did_not_converge_is_refused_until_told_to_go_on():
    failed = board_fit(False)
    for ask in (bs.boundary, bs.plot_boundary):
        with pytest.raises(FitError, match="NOT CONVERGED"):
            ask(failed, **({"flops": "1e24"} if ask is bs.boundary else {}))
    assert "NOT CONVERGED" in bs.boundary(failed, "1e24", even_if_not_converged=True).attrs["verdict"]


def test_a_saved_fit_comes_back_as_it_was_and_damage_is_noticed(tmp_path):
    path = tmp_path / "fit.nc"
    board_fit().save(path)
    again = bs.BoundaryFit.load(path)
    assert again.verdict == board_fit().verdict
    assert bs.boundary(again, "1e24").equals(bs.boundary(board_fit(), "1e24"))
    with pytest.raises(FileError, match="overwrite"):
        board_fit().save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError):
        bs.BoundaryFit.load(path)
    with pytest.raises(FileError):
        bs.Fit.load(path)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"flops": "1e24", "tau": 1.0}, "tau must lie between 0 and 1"),
        ({"flops": -1.0}, "flops must be positive"),
        ({"flops": "1e24", "period": "P3"}, "no period 'P3' was fitted"),
        ({"flops": "1e24", "base": "bas 1"}, "did you mean 'base 1'"),
    ],
)
def test_wrong_questions_are_refused(arguments, match):
    with pytest.raises(DataError, match=match):
        bs.boundary(board_fit(), **arguments)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"score": 40.0}, "must be a proportion between 0 and 1"),
        ({"flops": 0.0}, "must be positive and finite"),
        ({"n_items": 0}, "must be 1 or more"),
        ({"benchmark": None}, "blank in rows"),
        ({"period": None}, "blank in rows"),
    ],
)
def test_tables_that_cannot_be_are_refused_before_any_sampling(change, match):
    with pytest.raises(DataError, match=match):
        bs.fit_boundary(small_board().assign(**change))


def test_a_table_without_scores_is_refused():
    with pytest.raises(DataError, match=r"need the columns \['score'\]"):
        bs.fit_boundary(small_board().drop(columns="score"))
    with pytest.raises(ModelError, match=r"bs\.fit_boundary"):
        bs.load_model("boundary")


def test_moved_and_saturation_read_the_draws():
    table = bs.moved(board_fit(), "P1", "P2", delta=-1.0)
    assert table["probability"].tolist() == [1.0, 1.0]
    assert (bs.moved(board_fit(), "P1", "P2", delta=0.5)["probability"] == 0).all()
    near = bs.saturation(board_fit(), epsilon=1.0)
    assert (near["probability"] == 1).all()
    assert (near["learned"].between(0, 1)).all()
    assert (bs.saturation(board_fit(), epsilon=0.001)["probability"] == 0).all()


def test_dominance_counts_small_models_among_the_best():
    assert _share_of_best(np.array([0.1, 0.9, 0.8, 0.2]), np.array([True, True, False, False])) == 1.0
    table = bs.dominance(bs.simulated_board(400, seed=2), small="1e24", resamples=50, seed=1)
    assert (table["lower_90"] <= table["share"]).all() and (table["share"] <= table["upper_90"]).all()
    with pytest.raises(DataError, match="no model has less than"):
        bs.dominance(small_board(), small="1e10")


def test_the_true_boundary_is_what_a_large_board_shows():
    board = bs.simulated_board(models=60_000, benchmarks=1, bases=3000, organisations=2, periods=1, seed=1)
    near = board[np.abs(np.log10(board["flops"]) - 23) < 0.15]
    assert near["score"].quantile(0.98) == pytest.approx(true_boundary(1e23), abs=0.02)


def test_boundary_figures_show_what_they_should(tmp_path):
    figure = bs.plot_boundary(board_fit(), period="each", ncols=2)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["benchmark 1", "benchmark 2"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["boundary, P1", "boundary, P2"]
    assert any("converged" in text.get_text() for text in figure.texts)
    assert "base models up to" in figure.legends[0].get_title().get_text()
    figure.savefig(tmp_path / "boundary.png")
    one = bs.plot_boundary(board_fit(), benchmarks=["benchmark 2"])
    assert {"models", "50 % band", "90 % band", "boundary, P2"} == {t.get_text() for t in one.legends[0].get_texts()}
    with pytest.raises(DataError, match="did you mean 'benchmark 2'"):
        bs.plot_boundary(board_fit(), benchmarks=["benchmrk 2"])


def test_what_lies_beyond_the_models_in_compute_or_number_is_noted():
    fit = board_fit()
    far = "5.2 decades beyond the fitted models"
    assert bs.moved(fit, "P1", "P2", flops="1e30")["note"].tolist() == [far, far]
    assert bs.saturation(fit, flops="1e30")["note"].tolist() == [far, far]
    assert bs.moved(fit, "P1", "P2")["note"].eq("").all() and bs.saturation(fit)["note"].eq("").all()
    for tau in (0.996, 0.004):  # of 200 models
        (note,) = set(bs.summarise_boundary(bs.boundary(fit, "1e24", tau))["note"])
        assert note == "fewer than one of the 200 fitted models lies beyond it: the shape of the distribution places it"
    assert bs.summarise_boundary(bs.boundary(fit, "1e24", 0.995))["note"].eq("").all()
    ten = bs.boundary(fit, "1e24", 0.9).assign_coords(models=("benchmark", [10, 9]))  # 10 × (1 − 0.9) is not quite 1
    assert [bool(note) for note in bs.summarise_boundary(ten)["note"]] == [False, True]
    both = bs.summarise_boundary(bs.boundary(fit, "1e30", 0.999))["note"][0]
    assert both.startswith(far) and "fewer than one" in both


def test_one_period_did_not_move():
    with pytest.raises(DataError, match="name two periods; 'P1' is both"):
        bs.moved(board_fit(), "P1", "P1")
