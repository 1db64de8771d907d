"""Figures: what is drawn, not just that something is."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import bayes_scaling as bs
from bayes_scaling.errors import DataError, FitError, ModelError
from bayes_scaling.inference.verdict import Verdict

BENCHMARKS = ["hellaswag", "piqa", "lambada_openai"]
PASSED = Verdict(2, 100, 1.0, 500, 500, 0, 0.9, 0, {})
FAILED = dataclasses.replace(PASSED, r_hat=1.5, worst={"r_hat": "alpha[piqa]"})


@pytest.fixture(scope="module")
def runs():
    table = bs.load_dataset("gadre2024")
    return table[table["benchmark"].isin(BENCHMARKS) & table["tokens_per_param"].between(19, 21.5)]


@pytest.fixture(scope="module")
def later(runs):
    return runs[runs["params"] > 6e9]


@pytest.fixture(scope="module")
def fit(runs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.errors.ScalingWarning)
        found = bs.fit(
            bs.load_model("power_law"),
            runs[runs["params"] < 6e9],
            seed=1,
            chains=2,
            draws=100,
            tune=150,
            attempts=1,
            progress=False,
        )
    return dataclasses.replace(found, verdict=PASSED)


@pytest.fixture(scope="module")
def figure(fit, later):
    return bs.plot_law(fit, later=later, seed=1)


def labels(panel):
    return [a.get_label() for a in (*panel.lines, *panel.collections, *panel.patches)]


def band(panel, label):
    """x, lower and upper edge of a filled band."""
    (found,) = [c for c in panel.collections if c.get_label() == label]
    points = found.get_paths()[0].vertices
    x = np.unique(points[:, 0])
    edges = [points[np.isclose(points[:, 0], at), 1] for at in x]
    return x, np.array([e.min() for e in edges]), np.array([e.max() for e in edges])


def said(figure):
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def test_one_panel_a_benchmark_on_a_log_axis_in_flops(figure):
    assert isinstance(figure, Figure)
    assert sorted(p.get_title(loc="left") for p in figure.axes) == sorted(BENCHMARKS)
    assert all(p.get_xscale() == "log" for p in figure.axes)
    assert {p.get_xlabel() for p in figure.axes} <= {"training compute [FLOPs]", ""}
    assert figure.axes[0].get_ylabel() == "score"


def test_bands_hold_the_median_and_a_new_run_is_wider(figure):
    for panel in figure.axes:
        for mixture in ("C4", "RedPajama", "RefinedWeb"):
            (line,) = [m for m in panel.lines if m.get_label() == f"median {mixture}"]
            _, low, high = band(panel, f"expectation 0.8 {mixture}")
            _, wide_low, wide_high = band(panel, f"new run {mixture}")
            assert np.all((low <= line.get_ydata()) & (line.get_ydata() <= high))
            assert np.mean(wide_high - wide_low) > np.mean(high - low)
            assert wide_low.min() >= 0
            assert wide_high.max() <= 1


def test_curves_go_as_far_beyond_the_data_as_asked(fit):
    panel = bs.plot_law(fit, benchmarks="piqa", reach=2.0, seed=1).axes[0]
    x, _, _ = band(panel, "new run C4")
    most = fit.runs["flops"].max()
    assert x.max() == pytest.approx(100 * most)
    (shade,) = [p for p in panel.patches if p.get_label() == "beyond the data"]
    assert shade.get_x() == pytest.approx(most)
    assert panel.get_title(loc="right") == "beyond the data"


def test_runs_and_later_runs_stand_where_they_were_measured(figure, runs, later):
    for panel in figure.axes:
        rows = runs[runs["benchmark"] == panel.get_title(loc="left")]
        for kind, table in (("runs", rows[rows["params"] < 6e9]), ("later", rows[rows["params"] > 6e9])):
            (drawn,) = [c for c in panel.collections if c.get_label() == f"{kind} C4"]
            expected = table.loc[table["mixture"] == "C4", ["flops", "score"]].to_numpy()
            np.testing.assert_allclose(drawn.get_offsets(), expected)
        low, high = panel.get_ylim()
        assert rows["score"].between(low, high).all()
        assert panel.get_xlim()[1] > later["flops"].max()


def test_the_chance_level_is_a_line(figure, runs):
    for panel in figure.axes:
        (line,) = [m for m in panel.lines if m.get_label() == "chance"]
        chance = runs.loc[runs["benchmark"] == panel.get_title(loc="left"), "chance"].iloc[0]
        np.testing.assert_allclose(line.get_ydata(), chance)


def test_one_legend_says_what_each_band_is(figure):
    (legend,) = figure.legends
    texts = [t.get_text() for t in legend.get_texts()]
    assert texts[:3] == ["C4", "RedPajama", "RefinedWeb"]
    assert "expectation: median, 80 %" in texts
    assert "new run: 80 %" in texts
    assert "held out: not seen by the fit" in texts


def test_a_single_mixture_shows_every_probability(fit):
    figure = bs.plot_law(fit, benchmarks=["piqa"], mixtures=["C4"], probabilities=(0.6, 0.9), seed=1)
    widths = [np.mean(np.subtract(*band(figure.axes[0], f"expectation {p} C4")[:0:-1])) for p in (0.6, 0.9)]
    assert 0 < widths[0] < widths[1]
    assert "expectation: median, 60, 90 %" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_same_seed_same_bands(fit):
    one, two = (band(bs.plot_law(fit, benchmarks=["piqa"], seed=3).axes[0], "new run C4") for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_a_model_of_sizes_and_tokens_walks_along_the_ratio_of_the_runs(runs):
    known = runs[runs["benchmark"].isin(["piqa"]) & (runs["mixture"] == "C4")].reset_index(drop=True)
    from bayes_scaling.forecasting.paths import path
    from bayes_scaling.inference.fitting import Fit
    from bayes_scaling.reporting.curves import plan_along, view_of

    unfitted = Fit(bs.load_model("params_tokens"), known, pd.NA, PASSED)
    plan = plan_along(unfitted, view_of(unfitted, None, None, 1.0, (0.8,)), "piqa")
    assert path(unfitted) == (pytest.approx(20.3, rel=0.05), pytest.approx(1.0))
    np.testing.assert_allclose(plan["tokens"] / plan["params"], path(unfitted)[0])
    np.testing.assert_allclose(plan["flops"], 6 * plan["params"] * plan["tokens"])


def test_a_note_stands_in_its_panel(fit):
    flat = fit.runs.assign(score=fit.runs["score"].where(fit.runs["benchmark"] != "piqa", 0.5))
    figure = bs.plot_law(dataclasses.replace(fit, runs=flat), seed=1)
    notes = {p.get_title(loc="left"): [t.get_text() for t in p.texts if t.get_text()] for p in figure.axes}
    assert notes["piqa"]
    assert not notes["hellaswag"]


def test_the_verdict_is_small_print_or_loud(fit, figure):
    assert "converged: r-hat" in said(figure)
    assert "new run: one of them, evaluated once" in said(figure)
    failed = dataclasses.replace(fit, verdict=FAILED)
    with pytest.raises(FitError, match="NOT CONVERGED"):
        bs.plot_law(failed)
    loud = bs.plot_law(failed, benchmarks=["piqa"], seed=1, even_if_not_converged=True)
    (text,) = loud.texts
    assert "NOT CONVERGED" in said(loud)
    assert text.get_color() == "#B00020"


def headline(figure):
    return figure.legends[0].get_title().get_text() if figure.legends else figure.get_suptitle()


def test_a_heading_names_law_and_data(fit, figure):
    assert headline(figure).replace("\n", " ") == "power_law, fitted to 15 runs of gadre2024, up to 2.5e20 FLOPs"
    assert "alpha of power_law, fitted to 15 runs of gadre2024" in headline(bs.plot_exponents(fit))
    mine = dataclasses.replace(fit, runs=fit.runs.copy())
    mine.runs.attrs.clear()
    assert headline(bs.plot_law(mine, benchmarks="piqa", seed=1)).endswith("fitted to 15 runs, up to 2.5e20 FLOPs")


def test_planned_runs_have_bars_where_the_law_forecasts_them(fit):
    plan = bs.plan_runs(flops=["5e21", "1e22"], benchmark=["piqa", "hellaswag"], mixture=["C4", "RefinedWeb"])
    panel = bs.plot_law(fit, benchmarks=["piqa"], mixtures="C4", planned=plan, seed=1).axes[0]
    table = bs.summarise(bs.forecast(fit, plan, seed=1))
    own = table[(table["benchmark"] == "piqa") & (table["mixture"] == "C4") & (table["interval_for"] == "new run")]
    (means,) = [line for line in panel.lines if line.get_label() == "planned"]
    np.testing.assert_allclose(means.get_xydata(), own[["flops", "mean"]])
    bars = [c.get_segments() for c in panel.collections if c.get_label() == "planned bars"]
    ends = np.array([[segment[:, 1] for segment in bar] for bar in bars])
    np.testing.assert_allclose(ends[1], own[["lower_80", "upper_80"]])
    assert panel.get_xlim()[1] > 1e22
    assert panel.get_ylim()[1] >= own["upper_95"].max()


def test_planned_runs_of_a_new_mixture_are_black(fit):
    unseen = bs.plan_runs(flops=["5e21"], benchmark=["piqa"], mixture="my own")
    panel = bs.plot_law(fit, benchmarks=["piqa"], mixtures="C4", planned=unseen, seed=1).axes[0]
    (black,) = [line for line in panel.lines if line.get_label() == "planned"]
    assert black.get_markeredgecolor() == "#000000"


def test_the_average_has_a_panel_with_its_own_runs_and_band(fit, later):
    plan = bs.plan_runs(flops="1e22", benchmark=BENCHMARKS, mixture="C4")
    figure = bs.plot_law(fit, mixtures="C4", average=True, later=later, planned=plan, seed=1)
    panel = figure.axes[-1]
    assert panel.get_title(loc="left") == "average of 3"
    (points,) = [c for c in panel.collections if c.get_label() == "runs C4"]
    means = fit.runs[fit.runs["mixture"] == "C4"].groupby("run")[["flops", "score"]].mean().sort_values("flops")
    drawn = points.get_offsets()
    np.testing.assert_allclose(drawn[np.argsort(drawn[:, 0])], means, rtol=1e-6)
    whole = bs.average_benchmarks(bs.forecast(fit, plan, seed=1))
    (mark,) = [line for line in panel.lines if line.get_label() == "planned"]
    assert mark.get_ydata()[0] == pytest.approx(float(whole["accuracy"].mean()))
    _, low, high = band(panel, "expectation 0.8 C4")
    singles = [band(one, "expectation 0.8 C4") for one in figure.axes[:-1]]
    assert (high - low)[-1] < np.mean([(one[2] - one[1])[-1] for one in singles])
    other = bs.plan_runs(flops="1e22", benchmark="lambada_openai", mixture="C4")
    two = bs.plot_law(fit, benchmarks=["piqa", "hellaswag"], average=True, planned=other, seed=1,
                      later=later.drop(columns="run"))  # fmt: skip
    assert "planned" not in labels(two.axes[-1])
    with pytest.raises(DataError, match="an average needs two benchmarks or more"):
        bs.plot_law(fit, benchmarks="piqa", average=True)


def test_no_pyplot_and_no_text_over_text(figure):
    figure.draw_without_rendering()
    boxes = [p.title.get_window_extent() for p in figure.axes] + [figure.legends[0].get_window_extent()]
    boxes += [p.xaxis.label.get_window_extent() for p in figure.axes] + [t.get_window_extent() for t in figure.texts]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :] if one.width and other.width)
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"benchmarks": ["pica"]}, r"the fit saw no benchmark \['pica'\]; it saw"),
        ({"mixtures": ["C5"]}, r"the fit saw no mixture \['C5'\]"),
        ({"reach": -1.0}, "reach must be a number of decades"),
        ({"probabilities": (80,)}, "probabilities must lie between 0 and 1"),
    ],
)
def test_wrong_arguments_are_refused(fit, wrong, match):
    with pytest.raises(DataError, match=match):
        bs.plot_law(fit, **wrong)


def test_exponents_stand_one_row_a_benchmark_with_nested_intervals(fit):
    panel = bs.plot_exponents(fit).axes[0]
    names = [t.get_text() for t in panel.get_yticklabels()]
    assert sorted(names) == sorted(BENCHMARKS)
    assert panel.get_xlabel() == "alpha: compute exponent [no unit]"
    (medians,) = [m for m in panel.lines if m.get_label() == "median 0"]
    expected = fit.posterior["alpha"].sel(mixture="C4").median(("chain", "draw")).sel(benchmark=names)
    np.testing.assert_allclose(medians.get_xdata(), expected)
    inner, outer = (
        np.array([s[:, 0] for s in c.get_segments()])
        for label in ("inner 0", "outer 0")
        for c in panel.collections
        if c.get_label() == label
    )
    assert np.all((outer[:, 0] < inner[:, 0]) & (inner[:, 1] < outer[:, 1]))


def test_the_population_is_a_stripe_around_its_median(fit):
    panel = bs.plot_exponents(fit, probability=0.9).axes[0]
    (stripe,) = [p for p in panel.patches if p.get_label() == "population"]
    low, high = np.quantile(np.exp(fit.posterior["alpha_free"]), [0.05, 0.95])
    assert stripe.get_x() == pytest.approx(low)
    assert stripe.get_x() + stripe.get_width() == pytest.approx(high)


@pytest.mark.parametrize(("parameter", "rows"), [("floor_shift", 3), ("accuracy_item_share", 1), ("A", 3)])
def test_any_parameter_has_a_forest(fit, parameter, rows):
    panel = bs.plot_exponents(fit, parameter=parameter).axes[0]
    assert len(panel.get_yticks()) == rows
    assert panel.get_xlabel().startswith(f"{parameter}: ")


def test_unknown_parameters_and_probabilities_are_refused(fit):
    with pytest.raises(ModelError, match="power_law has no parameter 'gamma'; it has"):
        bs.plot_exponents(fit, parameter="gamma")
    with pytest.raises(DataError, match="probability must lie between"):
        bs.plot_exponents(fit, probability=80)
