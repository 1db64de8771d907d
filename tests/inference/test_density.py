"""The compiled density against the PyMC model of the same design, which is its specification."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from densities import agrees, points_of, scores
from pytensor.scalar import upgrade_to_float_no_complex
from pytensor.scalar.math import Erfinv
from pytensor.tensor.elemwise import Elemwise
from scipy.optimize import minimize
from simulate import asked, goes_with, grid, prior_points, simulate, variant

from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.compiled import density as density_module
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.compiled.row_code import Unprintable
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.layout import expand
from bayes_scaling.inference.pymc_model import build
from bayes_scaling.inference.sampling import sample
from bayes_scaling.inference.settings import Settings
from bayes_scaling.inference.starting import local_factor
from bayes_scaling.laws import ops
from bayes_scaling.laws.likelihoods import COUNTS, LIKELIHOODS, REPORTED_PASS_AT_K
from bayes_scaling.laws.parameters import positive
from bayes_scaling.laws.registry import C0, LAWS, law
from bayes_scaling.models.documents import from_document, list_models, load_model, to_document
from bayes_scaling.models.model import POOLINGS

TESTS = str(Path(__file__).parents[1])
BENCHMARKS = (1, 2, 3)
# One law with every pooling and every likelihood that it can have; the others once each, as their laws differ.
OWN = {name: [found for found in LIKELIHOODS if goes_with(name, found)] for name in list_models()}
PRODUCT = [
    *product(["power_law"], OWN["power_law"], POOLINGS),
    *((name, OWN[name][one % len(OWN[name])], "partial") for one, name in enumerate(OWN) if name != "power_law"),
]
FIXED = ({}, {"A": 1.3})
FAST = [
    ("power_law", "beta", "partial", 3, 2, False),
    ("power_law_ceiling", "normal", "none", 2, 2, True),
    ("params_tokens", "beta_binomial", "partial", 2, 1, False),
    ("power_law", "beta", "complete", 1, 1, True),
    ("pass_at_k", "loglog", "partial", 2, 1, False),
    ("pass_at_k_counts", "counts", "partial", 2, 1, False),
]


def tried(model, table, seed=3):
    """The same for models of pass@k: scores of 0 and 1 among the k, and problems that are never or always solved."""
    table, rng = asked(model, table), np.random.default_rng(seed)
    if model.responses[-1].likelihood.rows == REPORTED_PASS_AT_K:
        table["score"] = rng.uniform(size=len(table)).round(1)
    if model.responses[-1].likelihood.rows == COUNTS:
        table["n_samples"] = rng.choice([100.0, 1000.0, 3e6], size=len(table))
        table["n_correct"] = np.rint(table["n_samples"] * rng.choice([0.0, 1e-6, 0.01, 0.5, 1.0], size=len(table)))
        table["score"] = table["n_correct"] / table["n_samples"]
    return table


@pytest.mark.parametrize(("name", "likelihood", "pooling", "benchmarks", "mixtures", "fixed"), FAST)
def test_density_and_gradient_are_those_of_the_graph(name, likelihood, pooling, benchmarks, mixtures, fixed):
    model = variant(name, likelihood, pooling, fixed=FIXED[fixed])
    agrees(lay_out(model, tried(model, scores(benchmarks, mixtures))))


@pytest.mark.slow
@pytest.mark.parametrize("at", range(len(PRODUCT)), ids=["-".join(words) for words in PRODUCT])
def test_every_model_likelihood_and_pooling_has_the_density_of_its_graph(at):
    """Numbers of benchmarks and mixtures and what is fixed change from one to the next."""
    law = load_model(PRODUCT[at][0]).responses[0].law.parameters[0]
    model = variant(*PRODUCT[at], fixed={law.name: float(law.support.constrain(law.location))} if at % 2 else {})
    agrees(lay_out(model, tried(model, scores(BENCHMARKS[(at + at // 3 + at // 9) % 3], 1 + (at // 2) % 2))))


def test_a_run_effect_has_the_density_of_the_graph():
    document = to_document(load_model("power_law"))
    document["responses"][0]["law"] = "power_law > run_shift > accuracy"
    document["varies"]["shift"] = {"run": 0.05}
    agrees(lay_out(from_document(document), scores(2, 1)))


def test_whitening_is_a_change_of_variables():
    plain = compile_density(lay_out(load_model("power_law"), scores(3, 2)))
    n, rng = plain.n_dim, np.random.default_rng(1)
    centre, factor = 0.1 * rng.normal(size=n), np.tril(0.05 * rng.normal(size=(n, n))) + np.eye(n) / 2
    white = plain.whitened(centre, factor)
    assert white.n_dim == n
    for z in rng.normal(size=(5, n)):
        value, slope = plain(centre + factor @ z)
        found, white_slope = white(z)
        assert found == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(white_slope, factor.T @ slope, rtol=1e-8, atol=1e-10 * np.abs(slope).max())


def test_white_coordinates_are_near_standard():
    density = compile_density(lay_out(load_model("power_law"), simulated_table()))

    def loss(point):
        value, slope = density(point)
        return -value, -slope

    centre = minimize(loss, np.zeros(density.n_dim), jac=True, method="L-BFGS-B").x
    factor = local_factor(density, centre)
    white = density.whitened(centre, factor)
    step = 1e-3 * np.eye(density.n_dim)
    curvature = np.diag(-np.array([(white(e)[1] - white(-e)[1]) / 2e-3 for e in step]))
    assert np.array_equal(factor, np.tril(factor))
    assert np.median(np.abs(curvature - 1)) < 0.01
    assert curvature.max() < 1.05  # smaller where the curvature of the prior stands in for that of the density


def simulated_table(model="power_law", **size):
    table = grid(**size)
    return simulate(load_model(model), table, 1, np.random.default_rng(4)).runs(table)


def test_a_point_means_the_same_here_and_in_the_graph():
    document = to_document(load_model("params_tokens"))
    document["varies"]["A"] = {"benchmark": 0.7, "mixture": 0.15, "benchmark:mixture": 0.1}
    design = lay_out(from_document(document), scores(3, 2))
    graph = build(design)
    wanted = {v.name: v for v in graph.deterministics}
    shapes = [v.shape for v in graph.initial_point().values()]
    draws = pytensor.function(
        graph.value_vars,
        graph.replace_rvs_by_values(list(wanted.values())),
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    point = points_of(design, 3, 6)[-1]
    pieces = np.split(point, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    given = [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]
    posterior = expand(design, point[None, None])
    assert len(wanted) > 10
    for name, value in zip(wanted, draws(*given), strict=True):
        np.testing.assert_allclose(posterior[name].to_numpy()[0, 0], value, rtol=1e-12, atol=1e-13, err_msg=name)


def test_a_parameter_is_its_population_and_its_offsets_in_the_units_of_the_law():
    design = lay_out(load_model("power_law"), scores(3, 2))
    posterior = expand(design, prior_points(design, 4, np.random.default_rng(1)))
    offsets = [posterior[n] for n in ("A_free", "A_benchmark", "A_mixture", "A_benchmark_mixture")]
    np.testing.assert_allclose(posterior["A"], np.exp(sum(offsets[1:], start=offsets[0])), rtol=1e-12)
    assert posterior["A"].dims == ("chain", "draw", "benchmark", "mixture")
    for name in ("A_benchmark", "A_benchmark_mixture"):
        for dim in set(posterior[name].dims) - {"chain", "draw"}:
            assert np.abs(posterior[name].sum(dim)).max() < 1e-12


def test_other_data_need_no_other_compilation(monkeypatch):
    model = load_model("power_law")
    first = compile_density(lay_out(model, scores(3, 2)))

    def refuse(*_):
        raise AssertionError("compiled again")

    monkeypatch.setattr(density_module, "_source", refuse)
    monkeypatch.setattr(density_module, "write_whole", refuse)
    for table in (scores(2, 1), scores(3, 2, seed=9), scores(4, 3)):
        second = compile_density(lay_out(model, table))
        assert second.address == first.address
        assert second.function is first.function


def test_the_data_of_one_density_do_not_reach_another():
    model = load_model("power_law")
    one = compile_density(lay_out(model, scores(3, 2)))
    point = np.full(one.n_dim, 0.1)
    before = one(point)
    two = compile_density(lay_out(model, scores(3, 2, seed=9)))
    assert two(point)[0] != before[0]
    after = one(point)
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


def test_order_of_rows_does_not_matter():
    table = scores(3, 2)
    one = compile_density(lay_out(load_model("power_law"), table))
    two = compile_density(lay_out(load_model("power_law"), table.sample(frac=1, random_state=1)))
    point = np.full(one.n_dim, 0.1)
    assert two(point)[0] == pytest.approx(one(point)[0], rel=1e-12)
    np.testing.assert_allclose(two(point)[1], one(point)[1], rtol=1e-9, atol=1e-9)


IN_A_PROCESS = """
import sys; sys.path.insert(0, {tests!r})
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import lay_out
from bayes_scaling.models.documents import load_model
from simulate import grid
density = compile_density(lay_out(load_model("power_law"), grid(benchmarks=2, mixtures=1)))
print(density([0.1] * density.n_dim)[0])
"""


def test_what_was_compiled_serves_later_processes(tmp_path):
    def run():
        code = IN_A_PROCESS.format(tests=TESTS)
        elsewhere = {
            n: v for n, v in os.environ.items() if n != "NUMBA_CACHE_DIR"
        }  # compiled code lies beside its source
        environment = elsewhere | {"BAYES_SCALING_CACHE": str(tmp_path / "cache")}
        command = [sys.executable, "-W", "ignore", "-c", code]
        return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    def files():
        return {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").rglob("*.nb*")}

    first, written = run(), files()
    assert {p.suffix for p in written} >= {".nbi", ".nbc"}
    assert run() == first
    assert files() == written


def test_a_cache_folder_that_cannot_be_made_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BAYES_SCALING_CACHE", str(tmp_path / "file"))
    assert density_module._cache_folder().is_dir()


def _unprintable(x):
    """The identity on (−1, 1), through an operation that has no printed form."""
    inverse = Elemwise(Erfinv(upgrade_to_float_no_complex, name="erfinv"))
    return pt.erf(inverse(x)) if isinstance(x, pytensor.graph.basic.Variable) else x


def test_a_law_that_cannot_be_printed_goes_through_the_graph(monkeypatch):
    monkeypatch.setitem(LAWS, "odd_law", None)

    @law
    def odd_law(
        flops,
        *,
        A=LAWS["power_law"].parameters[0],
        alpha=LAWS["power_law"].parameters[1],
    ):
        """The power law, written in an odd way."""
        exponent = -alpha * ops.log(flops / C0)
        return A * ops.exp(_unprintable(exponent / 100) * 100)

    table = simulated_table(benchmarks=2, mixtures=1, sizes=5)
    usual = variant("power_law", pooling="complete")
    odd = replace(usual, responses=(replace(usual.responses[0], law=LAWS["odd_law"].then(LAWS["accuracy"])),))
    with pytest.raises(Unprintable, match="Erfinv"):
        compile_density(lay_out(odd, table))
    drawn = [sample(lay_out(m, table), Settings(2, 400, 400), seed=1)["posterior"].to_dataset() for m in (usual, odd)]
    for name in ("A_free", "alpha_free", "floor_shift_free"):
        one, two = (d[name].to_numpy().ravel() for d in drawn)
        error = np.sqrt((one.var() + two.var()) / 150)  # at least 150 effective draws each
        assert abs(one.mean() - two.mean()) < 4 * error, name


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")  # a short run is enough here
def test_a_new_law_goes_all_the_way(monkeypatch):
    monkeypatch.setitem(LAWS, "logarithmic", None)

    @law
    def logarithmic(flops, *, level=positive(0.2, 8.0, "level"), slope=positive(0.02, 0.5, "slope", spread=0.2)):
        """Softly falling in log compute."""
        return level * ops.log1p(ops.exp(-slope * ops.log(flops / C0)))

    document = {
        "name": "new",
        "responses": [{"response": "accuracy", "law": "logarithmic > accuracy", "likelihood": "beta"}],
        "varies": {"level": {"benchmark": 0.5}, "slope": {"benchmark": 0.2}},
    }
    model, table = from_document(document), grid(benchmarks=3, mixtures=1)
    world = simulate(model, table, 1, np.random.default_rng(2))
    agrees(world.laid_out(0))
    found = fit(model, world.runs(table), seed=1, chains=2, draws=300, tune=300, attempts=1)
    assert found.posterior["level"].dims == ("chain", "draw", "benchmark")
    ahead = forecast(found, table.drop(columns="score"), seed=1, even_if_not_converged=True)
    assert np.abs(ahead["accuracy_mean"].mean(("chain", "draw")) - world.means[0][0]).max() < 0.1


def test_editing_a_law_asks_for_another_compilation(monkeypatch):
    keys = {density_module._key(load_model("power_law"))}
    for part in ("KERNELS", "SOURCES"):
        with monkeypatch.context() as changed:
            changed.setattr(density_module, part, ["another text"])
            keys.add(density_module._key(load_model("power_law")))
    assert len(keys) == 3


def test_files_that_are_edited_meanwhile_do_not_name_the_code_that_runs(monkeypatch):
    before = density_module._key(load_model("power_law"))
    monkeypatch.setattr(density_module.inspect, "getsource", lambda module: "another text")
    assert density_module._key(load_model("power_law")) == before


def test_the_posterior_holds_whatever_the_graph_names():
    design = lay_out(load_model("power_law"), scores(2, 1))
    graph = build(design)
    assert isinstance(graph, pm.Model)
    assert {v.name for v in graph.observed_RVs} == {"accuracy"}
    assert {v.name for v in graph.deterministics} <= set(expand(design, points_of(design, 1, 1)[None]).data_vars)
