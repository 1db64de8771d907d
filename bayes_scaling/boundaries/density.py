r"""The PyMC model of the scores of released models.

With x = log10 C − 23, the score y of a model on benchmark b, of base model g and organisation o, released in period t,
is normal on the scale h of `link`:

.. math:: h(y) = h\bigl(f_b + (A_b - f_b)\,\sigma(a_b + c_b x + d_b x^2)\bigr) + v_{bt} + u_{bg} + w_{bgo} + \epsilon,
          \qquad \epsilon \sim N(0, \sigma_b(x)^2 + \iota), \quad \log \sigma_b(x) = s_b + r_b x

f is the floor, near the score of a guess; A the asymptote, what is left of 1 by items whose labels are wrong; v a
random walk over periods; u and w are normal, with a spread of their own for every benchmark; ι is the noise of the
items.  Slopes c are pooled over benchmarks.

Given everything else, u and w are normal.  They are therefore integrated out exactly, first w and then u: each group
enters through its precision W and its weighted sum of residuals S, as

.. math:: -\tfrac12 \log D + \tfrac12 \tau^2 S^2 / D, \qquad D = 1 + \tau^2 W,

and hands W / D and S / D to the group that it is part of.  What the sampler moves are some sixty numbers, however many
base models there are.  `base_effects` draws u afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from scipy.special import expit, logit

from bayes_scaling.boundaries.cells import Cells
from bayes_scaling.boundaries.link import link
from bayes_scaling.laws.ops import Numbers

if TYPE_CHECKING:
    import pymc as pm

OBSERVED = ("mean", "squares", "item_variance")  # what changes where other scores of the same models are fitted
OF_LOCATION = ("a", "c", "d", "f", "asymptote")
LEAST_FLOOR = 0.002  # where guesses score nothing
MOST_LABEL_NOISE = 0.15  # share of items that no model answers as their labels say; 0.065 on MMLU (arXiv 2406.04127)
LABEL_NOISE_SCORE = (-1.0, 0.8)  # middle and scale of its prior, as log odds of its share of the most: about 0.04
BASE_SD, ORGANISATION_SD, SPREAD = 0.3, 0.2, 0.4  # on the scale of h, middles of their priors
STEP = 0.1  # of h by which a period moves a benchmark, the middle of its prior: one or two points of score


def boundary_model(cells: Cells) -> pm.Model:
    """The PyMC model of some cells; base models and organisations are integrated out.

    Parameters
    ----------
    cells : Cells
    """
    import pymc as pm
    import pytensor.tensor as pt

    x, b, n = cells.decades, cells.benchmark, cells.number
    floor = np.clip(cells.chance, LEAST_FLOOR, 0.9)
    with pm.Model(coords={"benchmark": cells.benchmarks, "period": cells.periods}) as model:
        level = pm.Normal("a", -0.5, 1.5, dims="benchmark")
        slope_mean, slope_sd = pm.Normal("c_mean", 0.5, 0.5), pm.LogNormal("c_sd", np.log(0.2), 0.5)
        slope = pm.Deterministic("c", slope_mean + slope_sd * pm.Normal("c_z", dims="benchmark"), dims="benchmark")
        curvature = pm.Normal("d", 0.0, 0.15, dims="benchmark")
        lift = pm.Normal("f_z", dims="benchmark")
        lowest = pm.Deterministic("f", pm.math.invlogit(logit(floor) + 0.3 * lift), dims="benchmark")
        spread = pm.Normal("s", np.log(SPREAD), 0.6, dims="benchmark")
        spread_slope = pm.Normal("r", 0.0, 0.2, dims="benchmark")
        base_sd = pm.LogNormal("base_sd", np.log(BASE_SD), 0.5, dims="benchmark")
        top = pm.Deterministic("asymptote", asymptote(pm.Normal("asymptote_z", dims="benchmark")), dims="benchmark")
        walk = _period_walk(cells)
        rise = pm.math.invlogit(level[b] + slope[b] * x + curvature[b] * x**2)
        expected = link(lowest[b] + (top[b] - lowest[b]) * rise, cells.shape[b], pt) + walk[cells.period, b]
        mean, squares, of_items = (pm.Data(name, getattr(cells, name)) for name in OBSERVED)
        variance = pt.exp(2 * (spread[b] + spread_slope[b] * x)) + of_items
        off = mean - expected
        density = -0.5 * (n * pt.log(variance) + (squares + n * off**2) / variance).sum()
        precision, pull = n / variance, n * off / variance
        group, of_base = cells.organisation, cells.base_at[:, 1]
        if cells.has_organisations:
            organisation_sd = pm.LogNormal("organisation_sd", np.log(ORGANISATION_SD), 0.5, dims="benchmark")
            sd = organisation_sd[of_base[cells.base_of]]
            precision, pull = (_summed(values, group, len(cells.base_of)) for values in (precision, pull))
            part, precision, pull = integrated(precision, pull, sd, pt.log)
            density, group = density + part.sum(), cells.base_of
        else:
            group = cells.base_of[group]
        precision, pull = (_summed(values, group, len(of_base)) for values in (precision, pull))
        part, *_ = integrated(precision, pull, base_sd[of_base], pt.log)
        pm.Potential("scores", density + part.sum())
    return model


def _period_walk(cells: Cells) -> Any:
    """The random walk (period, benchmark) over periods, which starts at 0."""
    import pymc as pm
    import pytensor.tensor as pt

    later, walk = len(cells.periods) - 1, pt.zeros((1, len(cells.benchmarks)))
    step = pm.LogNormal("period_step", np.log(STEP), 0.5)
    if later:
        steps = pm.Normal("period_score", 0.0, 1.0, shape=(later, len(cells.benchmarks)))
        walk = pt.concatenate([walk, pt.cumsum(step * steps, axis=0)])
    return pm.Deterministic("period_effect", walk, dims=("period", "benchmark"))


def asymptote(score: Numbers) -> Any:
    """What is left of 1 by items whose labels are wrong, from a standard score of how many these are."""
    middle, scale = LABEL_NOISE_SCORE
    return 1 - MOST_LABEL_NOISE / (1 + np.exp(-middle - scale * score))


def integrated(precision: Numbers, pull: Numbers, sd: Numbers, log: Callable[[Numbers], Any]) -> tuple[Any, Any, Any]:
    """Integrate a normal effect out of every group.

    Parameters
    ----------
    precision, pull : (group,) arrays
        W and S: sums over what a group holds of 1 / variance and of residual / variance.
    sd : (group,) array
        Standard deviation of the effect.
    log : callable
        The logarithm of NumPy or PyTensor.

    Returns
    -------
    tuple of (group,) arrays
        What it adds to the log density, and the precision and the pull that are left for a group above.
    """
    spread = 1 + sd**2 * precision
    return -0.5 * log(spread) + 0.5 * sd**2 * pull**2 / spread, precision / spread, pull / spread


def base_effects(posterior: xr.Dataset, cells: Cells, rng: np.random.Generator) -> xr.DataArray:
    """Draw the effects of base models given everything else, one for every draw of the posterior.

    Parameters
    ----------
    posterior : Dataset over (chain, draw, …)
        Of `boundary_model`.
    cells : Cells
    rng : Generator

    Returns
    -------
    DataArray over (chain, draw, base, benchmark)
        Base models that have no score on a benchmark are drawn from their population.
    """
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    shape = (chains, draws, len(cells.bases), len(cells.benchmarks))
    sds = posterior["base_sd"].transpose("chain", "draw", "benchmark").to_numpy()
    out = rng.normal(size=shape) * sds[:, :, None, :]
    g, b = cells.base_at.T
    for chain in range(chains):
        precision, pull = _base_statistics(posterior.isel(chain=chain), cells)
        spread = 1 + sds[chain][:, b] ** 2 * precision
        centre = sds[chain][:, b] ** 2 * pull / spread
        out[chain][:, g, b] = centre + rng.normal(size=centre.shape) * sds[chain][:, b] / np.sqrt(spread)
    coords = {"base": list(cells.bases), "benchmark": list(cells.benchmarks)}
    return xr.DataArray(out, dims=("chain", "draw", "base", "benchmark"), coords=coords)


def _base_statistics(chain: xr.Dataset, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Precision and pull (draw, base on a benchmark) of the draws of one chain."""
    b, x = cells.benchmark, cells.decades
    value = {str(n): v.to_numpy() for n, v in chain.transpose("draw", ...).items()}
    found = []
    for draw in range(chain.sizes["draw"]):
        one = {name: values[draw] for name, values in value.items()}
        off = cells.mean - location({name: one[name][b] for name in OF_LOCATION}, x, cells.shape[b])
        off = off - one["period_effect"][cells.period, b]
        variance = np.exp(2 * (one["s"][b] + one["r"][b] * x)) + cells.item_variance
        weights = (cells.number / variance, cells.number * off / variance)
        precision, pull = (np.bincount(cells.organisation, weight) for weight in weights)
        if cells.has_organisations:
            of_organisation = cells.base_at[cells.base_of, 1]
            _, precision, pull = integrated(precision, pull, one["organisation_sd"][of_organisation], np.log)
        found.append([np.bincount(cells.base_of, values) for values in (precision, pull)])
    of_draws = np.array(found).transpose(1, 0, 2)
    return of_draws[0], of_draws[1]


def location(value: Any, x: Numbers, shape: Numbers) -> Any:
    """Middle of h at x decades, of the quantities in `OF_LOCATION`, for scales of this shape."""
    rise = expit(value["a"] + value["c"] * x + value["d"] * x**2)
    return link(value["f"] + (value["asymptote"] - value["f"]) * rise, shape)


def _summed(values: Numbers, group: np.ndarray, number: int) -> Any:
    """Sums (group) of values."""
    import pytensor.tensor as pt

    return pt.inc_subtensor(pt.zeros(number)[group], values)
