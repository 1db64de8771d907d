"""Discrepancy: curves that no straight line explains, with the variance they should have, wider the further out."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr
from densities import agrees, points_of, scores
from scipy.stats import kstest, spearmanr
from scipy.stats import t as student
from simulate import grid, prior_points, simulate, unfitted

from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError, ModelError
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.law_uncertainty import INCLUDED, NOT_INCLUDED
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.layout import expand
from bayes_scaling.inference.planned_rows import lay_out_plan
from bayes_scaling.inference.unseen_groups import extended
from bayes_scaling.laws.likelihoods import SCORES
from bayes_scaling.models.discrepancy import (
    CURVE,
    SHAPES,
    SIZES,
    TAILS,
    TOGETHER,
    amplitudes,
    beyond,
    shape_weights,
    t_distributed,
    walks,
)
from bayes_scaling.models.documents import from_document, list_models, load_model, to_document

SPAN = (19.0, 22.0)
WIDTH = SPAN[1] - SPAN[0]
WITH = [name for name in list_models() if load_model(name).discrepancy]
GROUPS = ({"benchmark": 0.2}, {"benchmark:mixture": 0.2}, {"all": 0.2}, {"all": 0.1, "benchmark:mixture": 0.2})


def dense(n=2001):
    return np.linspace(*SPAN, n)


def leaving(groups, parameter="A", **document):
    """The power law with the discrepancies of some groups and no other."""
    written = to_document(load_model("power_law")) | {"discrepancy": {parameter: groups}} | document
    return from_document(written)


def wiener(x):
    """Covariance of the integrated Wiener process of value and slope 0 at the first point, by its integral."""
    early, late = np.minimum.outer(x, x), np.maximum.outer(x, x)
    return early**3 / 3 + early**2 * (late - early) / 2


def off_lines(x):
    basis = np.linalg.qr(np.stack([np.ones_like(x), x], axis=1))[0]
    return np.eye(len(x)) - basis @ basis.T


def test_shapes_are_orthogonal_to_straight_lines_and_to_each_other():
    shapes = shape_weights(dense(), SPAN)
    assert shapes.shape == (2001, SHAPES)
    for line in (np.ones(2001), dense() - dense().mean()):
        assert (
            np.abs(line @ shapes / (np.linalg.norm(line) * np.linalg.norm(shapes, axis=0))).max() < 0.02
        )  # but for the ends of the grid
    together = np.corrcoef(shapes.T)
    np.testing.assert_allclose(together, np.eye(SHAPES), atol=0.02)


def test_three_shapes_hold_the_variance_of_the_wandering_slope():
    x = dense(401)
    whole = off_lines(x) @ wiener(x - SPAN[0]) @ off_lines(x)
    shapes = shape_weights(x, SPAN)
    held = shapes @ shapes.T
    assert 0.975 < np.trace(held) / np.trace(whole) < 0.985
    assert np.linalg.eigvalsh(whole - held).min() > -0.01 * np.linalg.eigvalsh(whole).max()  # and nothing besides it
    np.testing.assert_allclose(np.diag(held), np.diag(whole), atol=0.03 * np.diag(whole).max())


def test_curves_go_straight_on_outside():
    inside = shape_weights(np.array([SPAN[0], SPAN[0] + 0.015, SPAN[1] - 0.015, SPAN[1]]), SPAN)
    slopes = {0: (inside[1] - inside[0]) / 0.015, -1: (inside[3] - inside[2]) / 0.015}
    for end, sign in ((0, -1), (-1, 1)):
        out = shape_weights(SPAN[end] + sign * np.array([0.0, 1.0, 2.5]), SPAN)
        np.testing.assert_allclose(out[0], inside[end], rtol=1e-10)
        np.testing.assert_allclose(np.diff(out, axis=0), sign * np.outer([1.0, 1.5], slopes[end]), rtol=1e-6)


def test_runs_of_one_size_show_no_curve():
    assert not shape_weights(np.array([20.0, 20.0, 25.0]), (20.0, 20.0)).any()


def walked(decades, curve=None, family=None, shapes=SHAPES, n=60_000, seed=1):
    """Paths beyond the range; every curve is a family of its own unless families are given."""
    distance = beyond("flops", 10.0 ** np.asarray(decades, float), SPAN)
    which = np.zeros(len(decades), int) if curve is None else np.asarray(curve)
    alike = which if family is None else np.asarray(family)
    return walks([distance], WIDTH, which, alike, shapes, TOGETHER, (n,), np.random.default_rng(seed))


def slope_variance(shapes):
    """Variance at the end of the range of the slope that shapes beyond the learned ones have."""
    x = np.linspace(0, 1, 801)
    values, vectors = np.linalg.eigh(off_lines(x) @ wiener(x) @ off_lines(x))
    finer = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, shapes:]
    return WIDTH * np.sum(((finer[-1] - finer[-2]) * 800) ** 2)


@pytest.mark.parametrize("shapes", [1, SHAPES])
@pytest.mark.parametrize("side", [1, -1])
def test_beyond_the_runs_slopes_wander(side, shapes):
    t = np.array([0.5, 1.0, 2.0])
    found = np.cov(walked((SPAN[1] if side == 1 else SPAN[0]) + side * t, shapes=shapes).T)
    expected = wiener(t) + slope_variance(shapes) * np.outer(t, t)
    np.testing.assert_allclose(found, expected, rtol=0.04)


def test_rows_of_one_curve_share_its_path_and_other_curves_have_their_own():
    found = walked([23.0, 23.0, 23.0, 18.0, 20.5, 22.0], [4, 4, 7, 4, 4, 4])
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert np.abs(np.corrcoef(found[:, [0, 2, 3]].T) - np.eye(3)).max() < 0.02
    assert not found[:, 4:].any()  # within the range, ends included


def test_curves_of_one_family_go_together_and_are_as_wide_as_others():
    found = walked([23.0, 24.0, 23.0, 24.0, 23.0], curve=[0, 0, 1, 1, 2], family=[0, 0, 0, 0, 1])
    alone = walked([23.0, 24.0])
    np.testing.assert_allclose(np.cov(found[:, :2].T), np.cov(alone.T), rtol=0.04)
    together = np.corrcoef(found.T)
    assert together[0, 2] == pytest.approx(TOGETHER, abs=0.02)
    assert together[1, 3] == pytest.approx(TOGETHER, abs=0.02)
    assert np.abs(together[4, :4]).max() < 0.02


def test_paths_do_not_depend_on_which_other_rows_are_asked_for():
    few, many = walked([24.0]), walked([22.3, 24.0, 22.9, 24.0])
    assert np.std(many[:, 1]) == pytest.approx(np.std(few[:, 0]), rel=0.02)
    np.testing.assert_array_equal(many[:, 1], many[:, 3])


@pytest.mark.parametrize(
    ("parameter", "groups", "mixtures"),
    [
        ("A", {"benchmark": 0.2, "all": 0.1}, 1),
        ("alpha", {"benchmark:mixture": 0.2}, 2),
        ("A", {"all": 0.1, "benchmark:mixture": 0.2}, 1),
    ],
)
def test_density_and_gradient_are_those_of_the_graph(parameter, groups, mixtures):
    agrees(lay_out(leaving(groups, parameter), scores(2, mixtures)))


def test_the_only_mixture_adds_nothing_to_the_curves_of_benchmarks():
    design = lay_out(leaving({"benchmark:mixture": 0.2}), scores(2, 1))
    drawn = expand(design, points_of(design, 5, 1)[None])
    assert not drawn["A_discrepancy_benchmark_mixture"].any()
    assert compile_density(design).n_dim == compile_density(lay_out(leaving({}), scores(2, 1))).n_dim + 1  # its spread


def test_the_data_bend_the_curve():
    """The density of a bent benchmark is higher with a bent curve than with none."""
    model = replace(leaving({"benchmark": 0.3}), varies={})
    table = grid(benchmarks=1, mixtures=1, sizes=15)
    weights = shape_weights(np.log10(table["flops"].to_numpy()), lay_out(model, table).spans["flops"])[:, 0]
    table["score"] = 0.25 + 0.75 * np.exp(
        -1.5 * np.exp(0.5 * weights / np.ptp(weights)) * (table["flops"] / 1e20) ** -0.2
    )
    design = lay_out(model, table)
    position = 2 + [p for p in model.parameters if model.has_population(p)].index("A")  # after A and its spread
    density = compile_density(design)
    points = np.zeros((3, density.n_dim))
    points[1:, position] = 1.0, -1.0
    flat, up, down = (density(point)[0] for point in points)
    assert max(up, down) > flat


@cache
def heights(group="benchmark"):
    """Heights from the prior, in units of the wandering of their group: (draw, shape) of one curve of many."""
    design = lay_out(leaving({group: 0.2}), grid(benchmarks=3, mixtures=2))
    drawn = expand(design, prior_points(design, 20_000, np.random.default_rng(3)))
    effect = next(e for e in design.model.effects("A") if e.curve)
    array = (drawn[effect.name] / drawn[f"{effect.name}_sd"]).transpose("chain", "draw", ..., f"{effect.name}_shape")
    return array.to_numpy()[0].reshape(20_000, -1, effect.shapes)


@pytest.mark.parametrize("group", ["benchmark", "benchmark:mixture", "all"])
def test_heights_are_multivariate_t(group):
    found = heights(group)
    assert found.shape[1:] == {"benchmark": (3, SHAPES), "benchmark:mixture": (6, 1), "all": (1, SHAPES)}[group]
    for curve in range(found.shape[1]):
        for shape in range(found.shape[2]):
            assert kstest(found[:, curve, shape], student(TAILS).cdf).pvalue > 1e-4
    drawn = t_distributed((20_000, *found.shape[1:]), np.random.default_rng(1))
    lengths = [np.quantile(np.linalg.norm(h[:, 0], axis=-1), [0.1, 0.5, 0.9]) for h in (found, drawn)]
    np.testing.assert_allclose(*lengths, rtol=0.05)  # shapes of one curve are large together


def test_the_density_knows_the_t_of_the_heights():
    """Along one height of a single curve, the log prior is that of the multivariate t."""
    design = lay_out(
        leaving({"all": 0.2}), grid(benchmarks=1, mixtures=1).assign(flops=1e20)
    )  # one size: no curve seen
    density, n = compile_density(design), compile_density(design).n_dim
    drawn = expand(design, np.eye(n)[None])["A_discrepancy"].to_numpy()[0]
    at = np.flatnonzero(np.abs(drawn).sum(1) > 0)
    assert len(at) == SHAPES
    sd = 0.2
    for height in (0.1, 1.0, 5.0):
        point = np.zeros(n)
        point[at[1]] = height
        expected = -(TAILS + SHAPES) / 2 * np.log1p((height * drawn[at[1], 1] / sd) ** 2 / TAILS)
        assert density(point)[0] - density(np.zeros(n))[0] == pytest.approx(expected, rel=1e-9)


def test_amplitudes_follow_from_heights():
    """Drawn with the heights or from them, the amplitude of a curve and its heights go together alike."""
    rng = np.random.default_rng(2)
    own = np.sqrt(TAILS / rng.chisquare(TAILS, 100_000))
    drawn = own[:, None] * rng.normal(size=(100_000, SHAPES))
    again = amplitudes(drawn, rng)
    large = np.linalg.norm(drawn, axis=1) > 3
    for rows in (large, ~large):
        one, two = (np.quantile(a[rows], [0.1, 0.5, 0.9]) for a in (own, again))
        np.testing.assert_allclose(one, two, rtol=0.03)


def ahead(model, flops, fit=None, **more):
    fit = fit or unfitted(model, benchmarks=3, mixtures=1)
    more = {"benchmark": "benchmark 02", "mixture": "mixture 0", "chance": 0.0} | more
    return forecast(fit, plan_runs(flops=list(flops), **more), seed=1)


def log_h(found):
    return np.log(-np.log(np.clip(found["accuracy_mean"], 1e-300, 1 - 1e-16)))


def on_its_scale(found):
    """Of a score log h; of a loss its logarithm."""
    return log_h(found) if "accuracy_mean" in found else np.log(found["loss_mean"])


def pinned(model):
    """A fit that knows everything but its curves, whose heights are nothing within the data."""
    fit = unfitted(replace(model, fixed={**model.fixed, "A": 1.0, "alpha": 0.1}), benchmarks=3, mixtures=1)
    known = {n: 0 * a for n, a in fit.posterior.items() if n.startswith(("A_benchmark", "A_mixture", "alpha_"))}
    known |= {n: 0 * a + 0.2 * n.endswith("_sd") for n, a in fit.posterior.items() if n.startswith("A_discrepancy")}
    posterior = fit.posterior.assign({n: a for n, a in known.items() if n != "alpha_free"})
    return replace(fit, tree=xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}))


def test_bands_widen_with_the_distance():
    """Where all else is known: nothing within the runs, and beyond them ever more."""
    fit = pinned(leaving({"benchmark": 0.2}))
    top = fit.design.spans["flops"][1]
    found = log_h(ahead(None, 10.0 ** (top + np.array([-0.5, 0.5, 1.0, 2.0])), fit)).quantile(
        [0.1, 0.9], ("chain", "draw")
    )
    widths = np.diff(found, axis=0)[0]
    assert widths[0] == pytest.approx(0, abs=1e-9)
    t = np.array([0.5, 1.0, 2.0])
    one, rng = np.zeros(3, int), np.random.default_rng(5)
    own = walks([t], float(np.ptp(fit.design.spans["flops"])), one, one, SHAPES, TOGETHER, (100_000,), rng)
    scale = 0.2 * amplitudes(np.zeros((100_000, SHAPES)), np.random.default_rng(6))[:, None]
    np.testing.assert_allclose(widths[1:], np.diff(np.quantile(scale * own, [0.1, 0.9], axis=0), axis=0)[0], rtol=0.15)


@pytest.mark.parametrize("name", WITH)
def test_bands_are_wider_than_without_discrepancy(name):
    model = load_model(name)
    kept = {"tokens_per_param": [20]} if "tokens" in model.responses[0].columns else {}
    kept = {"params": ["1B", "10B", "100B"], **kept} if kept else {"flops": [1e20, 1e22, 1e24]}
    rows = plan_runs(**kept, benchmark="benchmark 02", mixture="mixture 0", chance=0.0)
    widths = []
    for one in (model, replace(model, discrepancy={})):
        fit = unfitted(one, benchmarks=3, mixtures=1)
        still = {n: 0 * a + a.mean(("chain", "draw")) for n, a in fit.posterior.items() if "discrepancy" not in str(n)}
        tree = xr.DataTree.from_dict({"posterior": fit.posterior.assign(still), "sample_stats": xr.Dataset()})
        found = on_its_scale(forecast(replace(fit, tree=tree), rows, seed=1)).quantile([0.1, 0.9], ("chain", "draw"))
        widths.append(np.diff(found, axis=0)[0])
    with_it, without = widths
    assert (with_it > without + (0.01 if model.responses[-1].name != "loss" else 0.001)).all()
    assert (np.diff(with_it) > 0).all()


@pytest.mark.parametrize(("groups", "included"), [({"benchmark": 0.2}, True), ({}, False)])
def test_forecasts_say_whether_the_law_itself_is_uncertain(groups, included):
    model = replace(leaving(groups), discrepancy={"A": groups} if groups else {})
    assert ahead(model, [1e22]).attrs["law_uncertainty"] == (INCLUDED if included else NOT_INCLUDED)
    assert ("widen with the distance" in ahead(model, [1e22]).attrs["law_uncertainty"]) is included


def extended_over(fit, plan):
    """Every effect for all labels of a plan, as arrays, and where each row stands among these."""
    planned = lay_out_plan(fit.design, plan)
    values = extended(fit.design, fit.posterior, planned, np.random.default_rng(1))
    return {name: value.values for name, value in values.items()}, planned.codes


def test_a_law_of_sizes_is_left_along_both():
    """Beyond the runs in size or tokens is beyond them, with no more compute than they have."""
    model = from_document(to_document(load_model("params_tokens_discrepancy")) | {"discrepancy": {"A": {"all": 0.2}}})
    fit = unfitted(model, benchmarks=2, mixtures=2, ratios=(5.0, 80.0))
    assert fit.design.spans.keys() == {"flops", *SIZES}
    assert model.leaves_along == SIZES
    params, tokens = fit.runs[list(SIZES)].max()
    plan = plan_runs(
        params=np.repeat([params, 10 * params], 3),
        tokens=np.tile([tokens / 50, tokens, 10 * tokens], 2),
        benchmark=["benchmark 00"],
        mixture="mixture 0",
        chance=0.25,
    )
    values, codes = extended_over(fit, plan)
    assert codes[CURVE].shape == (len(plan), SHAPES)
    away = values["A_discrepancy_beyond"].std((0, 1))
    larger, longer = plan["params"] > params, plan["tokens"] > tokens
    np.testing.assert_array_equal(away > 0, larger | longer)
    assert plan["flops"][larger & ~longer].min() < fit.runs["flops"].max()
    both, one = away[larger & longer], away[larger ^ longer]
    assert both.min() > 1.2 * one.max()


def test_at_one_ratio_sizes_leave_the_law_as_compute_does():
    """Two paths of half the variance along parameters and tokens have that of one path along compute."""
    params = 1e9 * 10.0 ** np.array([0.25, 0.5, 1.0])
    sizes = [beyond(column, values, (8.0, 9.0)) for column, values in zip(SIZES, (params, params), strict=True)]
    compute = beyond("flops", 120 * params**2, tuple(np.log10(120) + 2 * np.array([8.0, 9.0])))
    for distance in sizes:
        np.testing.assert_allclose(distance, compute)
    one = np.zeros(3, int)
    both, alone = (
        np.cov(walks(d, 2.0, one, one, SHAPES, TOGETHER, (60_000,), np.random.default_rng(1)).T)
        for d in (sizes, [compute])
    )
    np.testing.assert_allclose(both, alone, rtol=0.04)


def test_an_empty_table_of_curves_is_no_discrepancy():
    assert ahead(leaving({}), [1e22]).attrs["law_uncertainty"] == NOT_INCLUDED


@pytest.mark.parametrize("groups", GROUPS, ids=["-".join(g) for g in GROUPS])
def test_unseen_benchmarks_and_mixtures_have_curves_of_their_own(groups):
    fit = unfitted(leaving(groups), benchmarks=3, mixtures=2)
    plan = plan_runs(flops=[1e20, 1e23], benchmark=["benchmark 00", "new"], mixture=["mixture 1", "other"], chance=0.25)
    found = forecast(fit, plan, seed=1)
    assert found["accuracy"].notnull().all()
    values, codes = extended_over(fit, plan)
    assert codes[CURVE].shape == (len(plan), SHAPES)
    for effect in (e for e in fit.model.effects("A") if e.curve):
        known = fit.posterior[effect.name].to_numpy()
        assert values[effect.name].shape[2:] == (
            *({"benchmark": 4, "mixture": 3}[g] for g in effect.group),
            effect.shapes,
        )
        seen = (slice(None), slice(None), *(slice(0, n) for n in known.shape[2:-1]))
        np.testing.assert_array_equal(values[effect.name][seen], known)
        beyond = values[f"{effect.name}_beyond"]
        assert beyond.shape == (*known.shape[:2], len(plan))
        inside = np.log10(plan["flops"]) <= fit.design.spans["flops"][1]
        assert not beyond[..., inside].any()
        assert (beyond[..., ~inside].std((0, 1)) > 0).all()


def test_a_new_mixture_gives_nothing_to_the_only_one_that_was_fitted():
    fit = unfitted(leaving({"benchmark:mixture": 0.2}), benchmarks=2, mixtures=1)
    plan = plan_runs(flops=[1e23], benchmark=["benchmark 00"], mixture=["mixture 0", "other"], chance=0.25)
    values, _ = extended_over(fit, plan)
    beyond = values["A_discrepancy_benchmark_mixture_beyond"].std((0, 1))
    assert beyond[plan["mixture"] == "mixture 0"] == 0
    assert beyond[plan["mixture"] == "other"] > 0


def test_benchmarks_leave_the_law_together_as_far_as_their_curves_say():
    rows = plan_runs(flops=[1e23], benchmark=["benchmark 00", "benchmark 01"], mixture="mixture 0", chance=0.0)
    for groups in ({"all": 0.2}, {"benchmark": 0.2}):
        first, second = log_h(forecast(pinned(leaving(groups)), rows, seed=1)).values.reshape(-1, 2).T
        if "all" in groups:
            np.testing.assert_allclose(first, second)
        else:
            assert spearmanr(first, second)[0] == pytest.approx(TOGETHER, abs=0.1)


def test_what_a_mixture_adds_goes_together_between_its_benchmarks_alone():
    fit = unfitted(leaving({"benchmark:mixture": 0.2}), benchmarks=2, mixtures=2)
    plan = plan_runs(
        flops=[1e24], benchmark=["benchmark 00", "benchmark 01"], mixture=["mixture 0", "mixture 1"], chance=0.25
    )
    values, _ = extended_over(fit, plan)
    paths = values["A_discrepancy_benchmark_mixture_beyond"].reshape(-1, 4)
    same = plan["mixture"].to_numpy()[:, None] == plan["mixture"].to_numpy()
    found = spearmanr(paths)[0]
    assert np.abs(found[~same]).max() < 0.1
    assert found[same & ~np.eye(4, dtype=bool)].min() > 0.3


@pytest.mark.parametrize("flops", [None, np.nan, 0.0])
def test_runs_without_compute_are_refused(flops):
    table = grid(benchmarks=2, mixtures=1)
    model = load_model("params_tokens_discrepancy")
    table = table.drop(columns="flops") if flops is None else table.assign(flops=flops)
    with pytest.raises(
        DataError, match="model 'params_tokens_discrepancy' has a discrepancy: it needs 'flops' in every row"
    ):
        lay_out(model, table)


@pytest.mark.parametrize("missing", [True, False])
def test_plans_without_compute_are_refused(missing):
    fit = unfitted(load_model("params_tokens_discrepancy"), benchmarks=2, mixtures=1, ratios=(5.0, 80.0))
    rows = plan_runs(params=["1B", "10B"], tokens_per_param=[20], benchmark="benchmark 00", mixture="mixture 0")
    rows = rows.assign(params=[1e9, np.nan], tokens=[2e10, np.nan], flops=[1e22, np.nan])
    rows = rows.drop(columns="flops") if missing else rows
    with pytest.raises(DataError, match=r"needs 'flops' in every row of the plan: rows \[1\] have none"):
        forecast(fit, rows, seed=1)


@pytest.mark.parametrize("name", WITH)
def test_documents_come_back(name):
    model = load_model(name)
    assert to_document(from_document(to_document(model))) == to_document(model)
    assert to_document(model)["discrepancy"] == {p: dict(g) for p, g in model.discrepancy.items()}


@pytest.mark.parametrize(
    ("discrepancy", "match"),
    [
        ({"nothing": {"benchmark": 0.1}}, r"\[discrepancy\] names \['nothing'\]; the parameters are \['A', "),
        ({"A": {"benchmark": -0.1}}, r"\[discrepancy.A\] benchmark must be a number above 0 and at most 100, got -0.1"),
        (
            {"A": {"benchmark": float("nan")}},
            r"\[discrepancy.A\] benchmark must be a number above 0 and at most 100, got nan",
        ),
        ({"A": {"a:b": 0.1, "b:a": 0.2}}, "once each, got 'b:a'"),
        ({"A": {"a:b:c": 0.1}}, r"\[discrepancy.A\] takes columns and pairs of columns once each, got 'a:b:c'"),
        ({"A": 0.1}, r"\[discrepancy.A\] must be a table, got 0.1"),
        ({"A": {"benchmark": "much"}}, "A needs a number, got 'much'"),
    ],
)
def test_documents_that_are_wrong_are_refused(discrepancy, match):
    with pytest.raises(ModelError, match=match):
        from_document(to_document(load_model("power_law")) | {"discrepancy": discrepancy})


def test_complete_pooling_keeps_the_curve_that_all_share():
    model = leaving({"all": 0.1, "benchmark": 0.2}, pooling="complete")
    assert [e.group for e in model.effects("A") if e.curve] == [()]
    alone = leaving({"benchmark": 0.2}, pooling="complete")  # nothing is left of it: compute is not asked for
    assert lay_out(alone, grid(benchmarks=2, mixtures=1)).spans == {}


def test_simulated_runs_leave_the_law():
    """Scores of a world of the prior are those of its law with its curves."""
    model = leaving({"benchmark": 0.5})
    world = simulate(model, grid(benchmarks=2, mixtures=1), 1, np.random.default_rng(1))
    flat = {str(n): 0 * a if "discrepancy" in str(n) else a for n, a in world.truth.items()}
    data = world.design.responses[0]
    values = {n: a.to_numpy() for n, a in flat.items()}
    without = np.asarray(model.mean(model.responses[0], values, data.columns, data.codes))[0]
    assert model.responses[0].likelihood.rows == SCORES
    assert np.abs(world.means[0] - without).max() > 0.001


@pytest.mark.parametrize(("groups", "expected"), [({"benchmark": 0.2}, 0.44), ({"all": 0.2, "benchmark": 0.2}, 0.0)])
def test_a_curve_of_all_runs_takes_the_place_of_the_correlation_between_benchmarks(groups, expected):
    """0.44 is one half where amplitudes differ: E[s]² / (2 E[s²]) for s² = 3 / χ²(6)."""
    fit = pinned(leaving(groups))
    plan = plan_runs(flops=[1e24], benchmark=list(fit.design.levels["benchmark"][:2]), mixture="mixture 0", chance=0.0)
    values, _ = extended_over(fit, plan)
    beyond_runs = values["A_discrepancy_benchmark_beyond"].reshape(-1, 2)
    assert np.corrcoef(beyond_runs.T)[0, 1] == pytest.approx(expected, abs=0.08)


@pytest.mark.parametrize("groups", [{"all": 0.2, "mixture": 0.2}, {"benchmark": 0.2, "benchmark:mixture": 0.2}])
def test_the_only_mixture_has_no_curve_beside_the_one_that_it_shares(groups):
    model = leaving(groups)
    for mixtures, own in ((1, 0), (2, 2)):
        layouts = unfitted(model, benchmarks=2, mixtures=mixtures).design.effects
        layout = next(e for e in layouts.values() if e.effect.curve and "mixture" in e.effect.group)
        assert (
            layout.size
            == own * np.prod([2 if c == "benchmark" else 1 for c in layout.effect.group]) * layout.effect.shapes
        )
