"""Several laws in one panel: what is drawn, and what is refused."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.law_uncertainty import law_text
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.reporting.curves import response_of

FINE = Verdict(4, 250, 1.0, 1000.0, 1000.0, 0, 1.0, 0, {})
FAILED = replace(FINE, r_hat=1.5, worst={"r_hat": "alpha"})
BENCHMARKS = ["benchmark 00", "benchmark 03"]


@cache
def one():
    return replace(small_fit(), verdict=FINE)


@cache
def other():
    """A fit of another law to the same runs, with draws far from it and no sampling: A is twice as large."""
    posterior = one().posterior.assign(A_free=one().posterior["A_free"] + np.log(2))
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()})
    return replace(one(), tree=tree, model=replace(one().model, name="other"))


@cache
def both():
    return bs.average([one(), other()], weights="equal")


@cache
def later():
    known = one().runs[one().runs["benchmark"].isin(BENCHMARKS)]
    return known.groupby(["benchmark", "mixture"]).tail(1).assign(flops=known["flops"].max() * 20, score=0.5)


@pytest.fixture(scope="module")
def figure():
    return bs.plot_laws([one(), other(), both()], benchmarks=BENCHMARKS, later=later(), reach=2.0, seed=1)


def line(panel, label):
    (found,) = [m for m in panel.lines if m.get_label() == label]
    return found


def points(panel, label):
    (found,) = [c for c in panel.collections if c.get_label() == label]
    return np.asarray(found.get_offsets())


def said(figure):
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def test_every_law_has_a_line_and_a_band_of_its_own_in_every_panel(figure):
    assert [p.get_title(loc="left") for p in figure.axes] == BENCHMARKS
    for panel in figure.axes:
        lines = [line(panel, f"median {name}") for name in ("power_law", "other", "average")]
        assert len({m.get_color() for m in lines}) == 3
        assert lines[2].get_color() == "#000000"
        bands = [c.get_label() for c in panel.collections if str(c.get_label()).startswith("band ")]
        assert bands == ["band power_law", "band other", "band average"]


def test_lines_and_bands_are_those_of_the_forecast(figure):
    for name, fit in (("other", other()), ("average", both())):
        drawn = line(figure.axes[0], f"median {name}")
        plan = bs.plan_runs(flops=drawn.get_xdata(), benchmark=BENCHMARKS[0], mixture="mixture 0")
        mean = bs.forecast(fit, plan, seed=1)["accuracy_mean"]
        np.testing.assert_allclose(drawn.get_ydata(), mean.median(("chain", "draw")))
        (band,) = [c for c in figure.axes[0].collections if c.get_label() == f"band {name}"]
        edges = band.get_paths()[0].vertices[:, 1]
        assert (edges.min(), edges.max()) == pytest.approx(
            (interval(row_draws(mean), 0.8)[0].min(), interval(row_draws(mean), 0.8)[1].max())
        )


def test_fitted_and_later_runs_of_one_mixture_stand_where_they_were_measured(figure):
    for panel in figure.axes:
        for label, table in (("runs", one().runs), ("later", later())):
            mine = table[(table["benchmark"] == panel.get_title(loc="left")) & (table["mixture"] == "mixture 0")]
            np.testing.assert_allclose(points(panel, label), mine[["flops", "score"]])
    assert "fitted runs: mixture 0" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_the_distance_beyond_the_largest_run_is_marked(figure):
    most = one().runs["flops"].max()
    marks = {t.get_text(): t.get_position()[0] for t in figure.axes[0].texts}
    assert marks == pytest.approx({"largest run": most, "× 10": 10 * most, "× 100": 100 * most})
    (shade,) = [p for p in figure.axes[0].patches if p.get_label() == "beyond the data"]
    assert shade.get_x() == pytest.approx(most)


def test_what_needs_little_compute_may_be_left_out():
    panel = bs.plot_laws([one(), other()], benchmarks=BENCHMARKS[0], behind=1.0, seed=1).axes[0]
    most = one().runs["flops"].max()
    assert line(panel, "median other").get_xdata().min() == pytest.approx(most / 10)
    assert points(panel, "runs")[:, 0].min() >= most / 10


def test_names_may_be_given_and_each_law_says_what_its_bands_leave_out(figure):
    named = bs.plot_laws({"mine": one(), "yours": both()}, benchmarks=BENCHMARKS[0], mixture="mixture 1", seed=1)
    assert [t.get_text() for t in named.legends[0].get_texts()][:2] == ["mine", "yours"]
    assert "assumes that the curve goes on exactly as it did" in said(figure)
    wide = Fit(bs.load_model("power_law_discrepancy"), one().runs, None, FINE)
    assert law_text([one(), wide]).endswith("goes on as it did: power_law_discrepancy; exactly as it did: power_law")
    assert law_text([wide]).endswith("curve goes on as it did")


def test_verdicts_share_a_line_unless_one_failed(figure):
    assert "power_law, other: converged, r-hat ≤ 1.000" in said(figure)
    failed = replace(other(), verdict=FAILED)
    with pytest.raises(FitError, match="NOT CONVERGED"):
        bs.plot_laws([one(), failed])
    loud = bs.plot_laws([one(), failed], benchmarks=BENCHMARKS[0], seed=1, even_if_not_converged=True)
    assert "other: NOT CONVERGED" in said(loud)
    assert loud.texts[0].get_color() == "#B00020"


def test_no_text_over_text(figure):
    figure.draw_without_rendering()
    boxes = [p.get_window_extent() for panel in figure.axes for p in (*panel.texts, panel._left_title)]
    boxes += [figure.legends[0].get_window_extent(), *(t.get_window_extent() for t in figure.texts)]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(another) for another in boxes[i + 1 :])


@pytest.mark.parametrize(
    ("fits", "wrong", "match"),
    [
        ([], {}, "there is nothing to draw"),
        (["one", "one"], {}, r"\['power_law'\] is there more than once; name them"),
        (["one", "apart"], {}, r"fits of \['apart'\] were made on other runs than 'power_law'"),
        (["one"], {"benchmarks": ["pica"]}, r"the fit saw no benchmark \['pica'\]"),
        (["one"], {"mixture": "C5"}, r"the fit saw no mixture \['C5'\]"),
        (["one"], {"behind": 0}, "behind must be a number of decades above 0, not 0"),
        (["one"], {"probability": 80}, "probabilities must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(fits, wrong, match):
    fewer = replace(other(), runs=one().runs.iloc[:-1], model=replace(other().model, name="apart"))
    known = {"one": one(), "apart": fewer}
    with pytest.raises(DataError, match=match):
        bs.plot_laws([known[name] for name in fits], **wrong)


def test_one_law_draws_its_average_as_well():
    panel = bs.plot_law(both(), benchmarks=[BENCHMARKS[0]], mixtures=["mixture 0"], seed=1).axes[0]
    drawn = line(panel, "median mixture 0")
    plan = bs.plan_runs(flops=drawn.get_xdata(), benchmark=BENCHMARKS[0], mixture="mixture 0")
    mean = bs.forecast(both(), plan, seed=1)["accuracy_mean"].median(("chain", "draw"))
    np.testing.assert_allclose(drawn.get_ydata(), mean)


@pytest.mark.parametrize("model", ["pass_at_k", "pass_at_k_counts"])
def test_pass_at_k_has_no_place_on_an_axis_of_compute(model):
    fit = Fit(bs.load_model(model), pd.DataFrame({"flops": [1e20], "score": [0.5]}), None, FINE)
    for plot in (bs.plot_law, lambda one: bs.plot_laws([one])):
        with pytest.raises(DataError, match=rf"{model} forecasts pass_at_k, which depends on k as much as on compute"):
            plot(fit)
    assert response_of(one()).name == "accuracy"
