"""What tests of compiled densities share: tables with extreme scores, and the comparison with PyMC's own density."""

import numpy as np
import pytensor
from simulate import grid, prior_points

from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.pymc_model import build


def scores(benchmarks, mixtures, seed=3):
    """A table with scores all over the place, exactly 0 and 1 among them, and some n_items unknown."""
    rng = np.random.default_rng(seed)
    table = grid(benchmarks=benchmarks, mixtures=mixtures, sizes=4, ratios=(10.0, 40.0))
    counts = rng.binomial(table["n_items"].astype(int), rng.uniform(size=len(table)))
    table["score"] = counts / table["n_items"]
    table.loc[[0, 1], "score"] = [0.0, 1.0]
    table.loc[table["benchmark"] == "benchmark 01", "n_items"] = np.nan
    return table


def oracle(design):
    """PyMC's own log density and gradient as a function of the flat unconstrained point."""
    model = build(design)
    wide = len(model.basic_RVs + model.potentials) > 30  # a sum of so many terms needs C, which takes minutes
    linker = pytensor.link.vm.VMLinker(use_cloop=False, c_thunks=wide)
    mode = pytensor.compile.mode.Mode(linker=linker, optimizer="fast_compile").excluding("fusion", "add_mul_fusion")
    function = model.logp_dlogp_function(ravel_inputs=True, mode=mode)
    function.set_extra_values({})
    return function


def points_of(design, n, seed):
    """Some points of the prior: one at its centre, the others further out the later they come."""
    points = prior_points(design, n, np.random.default_rng(seed))[0]
    return points * np.linspace(0, 1.2, n)[:, None]


def agrees(design, seed=5):
    compiled, graph = compile_density(design), oracle(design)
    points = points_of(design, 5, seed)
    assert points.shape[1] == compiled.n_dim
    ours, theirs = [compiled(x) for x in points], [graph(x) for x in points]
    values, expected = np.array([v for v, _ in ours]), np.array([float(v) for v, _ in theirs])
    np.testing.assert_allclose(values - values[0], expected - expected[0], rtol=1e-8, atol=1e-8)
    for (_, slope), (_, right) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(slope, right, rtol=1e-8, atol=1e-8 * np.abs(right).max())
