"""Pictures of a track record: the coverage that they draw is that of the scores, and outcomes stand on their bars."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure
from simulate import grid

import bayes_scaling as bs
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.reporting.calibration_figure import LEVELS
from bayes_scaling.reporting.canvas import COLOURS


def past(law_sd=(0.03, 0.03), converged=True, tried=False, mixtures=2):
    """Forecasts of known spread around the truth, for laws of which each claims 0.03."""
    rng = np.random.default_rng(4)
    runs = grid(benchmarks=2, mixtures=mixtures, sizes=8)
    if tried:
        runs = runs.assign(metric="pass@k").merge(pd.DataFrame({"k": [1.0, 8.0]}), how="cross", suffixes=("_", ""))
    runs["score"] = 0.4 + 0.05 * np.log10(runs["flops"] / 1e20) + 0.1 * runs["benchmark"].eq("benchmark 01")
    splits = tuple(bs.split_above(runs, cuts=["4e19", "1e20"]))
    response, forecasts, scores = "pass_at_k" if tried else "accuracy", {}, []
    for law, sd in zip(("exact", "other"), law_sd, strict=True):
        for split in splits:
            later = runs[split.held_out].reset_index(drop=True)
            n = len(later)
            centre = later["score"].to_numpy() + sd * rng.normal(size=n)
            draws = centre + 0.03 * rng.normal(size=(2, 200, n))
            columns = {c: ("row", later[c].to_numpy()) for c in ("run", "benchmark", "mixture", "flops", "k")}
            beyond = np.log10(later["flops"] / runs["flops"][split.fitted].max())
            columns |= {"decades_beyond": ("row", beyond), "note": ("row", np.full(n, "at chance", object))}
            dims = ("chain", "draw", "row")
            ahead = xr.Dataset({response: (dims, draws), f"{response}_mean": (dims, draws)}, columns)
            forecasts[law, split.name] = ahead
            table = bs.score_forecast(ahead, later, response=response)
            scores.append(table.assign(law=law, split=split.name, converged=converged))
    shards = pd.DataFrame([{"law": a, "split": b, "converged": converged, "problem": ""} for a, b in forecasts])
    return Backtest(runs, splits, response, shards, pd.concat(scores, ignore_index=True), forecasts)


def texts(figure):
    legends = [t.get_text() for legend in figure.legends for t in (*legend.get_texts(), legend.get_title())]
    return [*legends, *(t.get_text() for panel in figure.axes for t in panel.texts)]


def test_lines_are_the_shares_that_fell_inside():
    one = past()
    figure = bs.plot_calibration(one)
    assert isinstance(figure, Figure)
    assert [p.get_title(loc="left") for p in figure.axes] == ["exact", "other"]
    own = one.scores[one.scores["law"] == "exact"]
    near = own[(own["decades_beyond"] > 0) & (own["decades_beyond"] <= 0.5)]
    (line,) = [m for m in figure.axes[0].lines if m.get_label() == "0–0.5"]
    share = [np.mean(np.abs(2 * near["pit"] - 1) <= level) for level in LEVELS]
    np.testing.assert_allclose(line.get_ydata(), share)
    np.testing.assert_allclose(line.get_xdata(), LEVELS)
    assert any(t.startswith("0–0.5 decades beyond (") for t in texts(figure))
    assert not any("converge" in t for t in texts(figure))


def test_too_narrow_lies_below_the_diagonal_and_calibrated_on_it():
    figure = bs.plot_calibration(past((0.03, 0.12), mixtures=12), by="law")
    right, narrow = (next(m for m in p.lines if len(m.get_xdata()) == len(LEVELS)) for p in figure.axes)
    assert np.abs(right.get_ydata() - LEVELS).max() < 0.15
    assert (narrow.get_ydata() - LEVELS)[10:-5].max() < -0.1


def test_the_shade_is_wider_where_runs_are_fewer():
    figure = bs.plot_calibration(past(mixtures=8), by="split", law="exact")
    widths = []
    for band in figure.axes[0].collections:
        y = band.get_paths()[0].vertices[:, 1]
        widths.append(np.ptp(y[np.isclose(band.get_paths()[0].vertices[:, 0], LEVELS[24])]))
    assert widths[0] < widths[1]  # the higher cut leaves fewer runs
    assert any("runs)" in t for t in texts(figure))


def test_calibration_is_drawn_of_scores_alone_and_by_any_column():
    figure = bs.plot_calibration(past().scores, by="benchmark", law="other")
    assert [p.get_title(loc="left") for p in figure.axes] == ["other"]
    assert sum(t.startswith("benchmark 0") for t in texts(figure)) == 2
    with pytest.raises(DataError, match=r"no law 'third'; it has \['exact', 'other'\]"):
        bs.plot_calibration(past(), law="third")
    with pytest.raises(DataError, match=r"the scores have no column 'recipe'; they have \['run'"):
        bs.plot_calibration(past(), by="recipe")


def test_what_did_not_converge_is_said_in_both_pictures():
    one = past(converged=False)
    assert "some fits did not converge" in texts(bs.plot_calibration(one))
    assert any("THE FIT DID NOT CONVERGE" in t for t in texts(bs.plot_backtest(one)))


def drawn(panel, kind):
    """Points of one kind over all names, (name, x, y) rows."""
    parts = [(c.get_label(), c.get_offsets()) for c in panel.collections if c.get_label().startswith(kind)]
    rows = [(label.removeprefix(f"{kind} "), *at) for label, offsets in parts for at in offsets]
    return pd.DataFrame(rows, columns=["name", "x", "y"])


def test_outcomes_and_fitted_runs_are_where_they_were():
    one = past()
    split = one.splits[0]
    figure = bs.plot_backtest(one)
    assert [p.get_title(loc="left") for p in figure.axes] == ["benchmark 00", "benchmark 01"]
    for panel in figure.axes:
        own = one.runs[one.runs["benchmark"] == panel.get_title(loc="left")]
        later = own[split.held_out[own.index]]
        later = later.sort_values(["mixture", "score"])
        reached = drawn(panel, "outcome").sort_values(["name", "y"])
        assert reached["name"].tolist() == later["mixture"].tolist()
        np.testing.assert_allclose(reached["y"], later["score"])
        np.testing.assert_allclose(np.log10(reached["x"].to_numpy() / later["flops"].to_numpy()), 0, atol=0.1)
        fitted = own[split.fitted[own.index]].sort_values(["mixture", "flops"])
        before = drawn(panel, "fitted").sort_values(["name", "x"])
        np.testing.assert_allclose(before[["x", "y"]], fitted[["flops", "score"]])
        assert "at chance" in [t.get_text() for t in panel.texts]


def test_bars_hold_what_they_say_and_misses_have_a_ring():
    one = past((0.06, 0.03))
    key = ("exact", one.splits[1].name)
    figure = bs.plot_backtest(one, split=key[1])
    own = one.scores[(one.scores["law"] == key[0]) & (one.scores["split"] == key[1])]
    assert 0 < own["inside_95"].sum() < len(own)
    for panel in figure.axes:
        part = own[own["benchmark"] == panel.get_title(loc="left")]
        missed = part.loc[~part["inside_95"].astype(bool), "observed"]
        np.testing.assert_allclose(drawn(panel, "outside")["y"], missed)
        widest = panel.collections[0].get_segments()
        heights = [s[1][1] - s[0][1] for s in widest]
        np.testing.assert_allclose(heights, part["width_95"], rtol=1e-6)


def test_colours_are_those_of_the_legend_in_every_panel():
    """Also where a panel lacks the first mixture."""
    from matplotlib.colors import to_rgba

    one = past()
    keep = ~(one.scores["mixture"].eq("mixture 0") & one.scores["benchmark"].eq("benchmark 01"))
    parts = {key: one.scores[(one.scores["law"] == key[0]) & (one.scores["split"] == key[1])] for key in one.forecasts}
    rows = {key: np.flatnonzero(keep[part.index]) for key, part in parts.items()}
    forecasts = {key: ahead.isel(row=rows[key]) for key, ahead in one.forecasts.items()}
    less = Backtest(one.runs, one.splits, "accuracy", one.shards, one.scores[keep], forecasts)
    panel = bs.plot_backtest(less).axes[1]
    (second,) = [c for c in panel.collections if c.get_label().startswith("outcome")]
    assert {tuple(c) for c in second.get_facecolors()} == {to_rgba(COLOURS[1])}


def test_pass_at_k_has_a_colour_for_every_k_and_leaves_other_scores_out():
    one = past(tried=True, mixtures=1)
    figure = bs.plot_backtest(one)
    assert {"k = 1", "k = 8"} <= set(texts(figure))
    assert drawn(figure.axes[0], "outcome")["name"].nunique() == 2
    assert figure.axes[0].get_ylabel() == "pass@k"


def test_names_differ_in_their_markers_and_none_is_called_unspecified():
    one = past()
    shapes = {}
    for points in bs.plot_backtest(one).axes[0].collections:
        if points.get_label().startswith(("outcome", "fitted")):
            shapes[points.get_label()] = points.get_paths()[0].vertices.shape, points.get_paths()[0].vertices.sum()
    assert shapes["outcome mixture 0"] != shapes["outcome mixture 1"]
    assert shapes["fitted mixture 0"] != shapes["fitted mixture 1"]
    nameless = Backtest(
        one.runs.assign(mixture="unspecified"), one.splits, "accuracy", one.shards,
        one.scores.assign(mixture="unspecified"), one.forecasts,
    )  # fmt: skip
    assert "all runs" in texts(bs.plot_backtest(nameless))
    assert not any("unspecified" in text for text in texts(bs.plot_backtest(nameless)))


def test_the_data_set_is_named():
    one = past()
    one.runs.attrs["dataset"] = "mine.csv"
    assert any("mine.csv" in text for text in texts(bs.plot_backtest(one)))
    assert any("mine.csv" in text for text in texts(bs.plot_calibration(one)))


def test_what_was_not_forecast_is_refused():
    with pytest.raises(DataError, match=r"no forecast of law 'third' for split None; there are \[\('exact'"):
        bs.plot_backtest(past(), law="third")
    with pytest.raises(DataError, match=r"benchmarks \['mmlu'\] were not forecast; there are \['benchmark 00'"):
        bs.plot_backtest(past(), benchmarks=["mmlu"])
    assert len(bs.plot_backtest(past(), benchmarks=["benchmark 01"]).axes) == 1
