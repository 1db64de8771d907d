"""Boundaries and shifts by sampling: known truths are found, and ranks of true values are uniform."""

import warnings

import numpy as np
import nutpie
import pandas as pd
import pytest
from scipy.stats import chisquare

import bayes_scaling as bs
from bayes_scaling.boundaries.cells import cells_of
from bayes_scaling.boundaries.density import OF_LOCATION, boundary_model, location
from bayes_scaling.boundaries.simulated import BASE_SD, ORGANISATION_SD, SPREAD, true_boundary

pytestmark = pytest.mark.slow
SIMULATIONS, BINS, KEPT = 60, 6, 59
SMALLEST_P = 1e-4  # of any one of fifteen quantities
WORLDS = 24


@pytest.fixture(scope="module")
def fitted():
    board = bs.simulated_board(models=900, bases=60, organisations=10, rise=0.3, seed=11)
    return bs.fit_boundary(board, seed=1, chains=2, progress=False)


def test_the_true_boundary_is_recovered(fitted):
    assert fitted.verdict.passed, fitted.verdict
    for period in range(2):
        draws = bs.boundary(fitted, ["1e22", "1e23", "1e24"], period=f"P{period + 1}")
        low, high = (draws.quantile(q, ("chain", "draw")).to_numpy() for q in (0.005, 0.995))
        truth = [[true_boundary(flops, number=b, rise=0.3, period=period) for flops in (1e22, 1e23, 1e24)]
                 for b in range(2)]  # fmt: skip
        assert ((low < truth) & (truth < high)).all()
        assert (high - low < 0.25).all()


def test_spreads_and_the_rise_are_recovered(fitted):
    posterior = fitted.posterior
    found = {"base_sd": BASE_SD, "organisation_sd": ORGANISATION_SD}
    for name, truth in found.items():
        low, high = (posterior[name].quantile(q, ("chain", "draw")) for q in (0.005, 0.995))
        assert bool(((low < truth) & (truth < high)).all())
    spread = np.exp(posterior["s"]).mean(("chain", "draw"))
    assert spread.to_numpy() == pytest.approx(SPREAD, abs=0.05)
    moved = bs.moved(fitted, "P1", "P2")
    assert (moved["probability"] > 0.95).all()
    assert (bs.moved(fitted, "P1", "P2", delta=0.2)["probability"] < 0.05).all()


def test_saturation_says_that_much_is_left_and_nothing_was_learned_of_the_asymptote(fitted):
    table = bs.saturation(fitted)
    assert (table["probability"] < 0.2).all()
    assert (table["learned"] < 0.5).all()


def simulated_cells(board, rng, model, names):
    """Values drawn from the prior, and cells of scores drawn from these."""
    import pymc as pm

    cells = cells_of(board)
    draws = pm.draw([model[name] for name in names], random_seed=int(rng.integers(2**31)))
    one = dict(zip(names, draws, strict=True))
    b, x = cells.benchmark, cells.decades
    middle = (
        location({name: one[name][b] for name in OF_LOCATION}, x, cells.shape[b])
        + one["period_effect"][cells.period, b]
    )
    base = cells.base_at[cells.base_of[cells.organisation]]
    of_base = rng.normal(size=(len(cells.bases), len(cells.benchmarks))) * one["base_sd"]
    own_sd = one["organisation_sd"][cells.base_at[cells.base_of, 1]]
    of_organisation = rng.normal(size=len(own_sd)) * own_sd
    middle = middle + of_base[base[:, 0], b] + of_organisation[cells.organisation]
    variance = np.exp(2 * (one["s"][b] + one["r"][b] * x)) + cells.item_variance
    data = {
        "mean": middle + rng.normal(size=len(middle)) * np.sqrt(variance / cells.number),
        "squares": variance * rng.chisquare(np.maximum(cells.number - 1, 1)) * (cells.number > 1),
        "item_variance": cells.item_variance,
    }
    return one, data


def test_ranks_of_true_values_are_uniform():
    """Simulation-based calibration (Talts et al. 2018, arXiv 1804.06788)."""
    board = bs.simulated_board(models=150, bases=14, organisations=12, seed=21)
    model = boundary_model(cells_of(board))
    names = [*OF_LOCATION, "s", "r", "base_sd", "organisation_sd", "period_effect", "period_step"]
    compiled, rng = nutpie.compile_pymc_model(model), np.random.default_rng(5)
    ranks = {name: [] for name in [*names, "expected far above"]}
    for number in range(SIMULATIONS):
        truth, data = simulated_cells(board, rng, model, names)
        trace = nutpie.sample(
            compiled.with_data(**data), draws=300, tune=400, chains=2, seed=number, progress_bar=False,
            target_accept=0.95, save_warmup=False,
        )  # fmt: skip
        posterior = trace["posterior"].to_dataset().stack(sample=("chain", "draw")).transpose("sample", ...)
        at = np.linspace(0, posterior.sizes["sample"] - 1, KEPT).astype(int)
        draws = {name: posterior[name].to_numpy().reshape(posterior.sizes["sample"], -1)[at, -1] for name in names}
        for name, values in draws.items():
            ranks[name].append((values < np.ravel(truth[name])[-1]).sum())
        far = {name: np.ravel(truth[name])[-1] for name in OF_LOCATION}
        ranks["expected far above"].append((location(draws, 3.0, 1.0) < location(far, 3.0, 1.0)).sum())
    p = {name: chisquare(np.histogram(found, BINS, (0, KEPT + 1))[0]).pvalue for name, found in ranks.items()}
    assert min(p.values()) > SMALLEST_P, p


def pairs(rng, shift, items):
    late = np.arange(30) >= 15
    ability = rng.normal(0, 0.8, 30) + 0.5 * late  # later models are better at everything
    old = 1 / (1 + np.exp(-ability - shift * late - rng.normal(0, 0.15, 30)))
    new = 1 / (1 + np.exp(0.6 - ability))
    return pd.DataFrame(
        {"date": np.where(late, "2025-02-01", "2024-02-01"), "old_score": rng.binomial(items, old) / items,
         "new_score": rng.binomial(items, new) / items, "old_items": items, "new_items": items}
    )  # fmt: skip


def test_the_shift_probe_finds_known_odds_ratios_and_none_where_there_is_none():
    rng = np.random.default_rng(3)
    inside, detected = [], {0.0: [], 0.8: []}
    for number in range(WORLDS):
        shift, items = (0.0, 0.8)[number % 2], (30, 300)[number % 4 // 2]
        found = bs.shift_probe(pairs(rng, shift, items), "2024-06-30", seed=number, chains=2, progress=False)
        low, high = found["odds_ratio"].quantile([0.1, 0.9]).to_numpy()
        inside.append(low < np.exp(shift) < high)
        detected[shift].append(float((found["odds_ratio"] > 1).mean()))
    assert 0.6 <= np.mean(inside) <= 0.97  # 80 % intervals
    assert np.mean(np.array(detected[0.0]) > 0.99) < 0.1
    assert np.median(detected[0.8]) > 0.99


def test_a_fit_that_did_not_converge_warns():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fit = bs.fit_boundary(bs.simulated_board(100, seed=1), seed=1, chains=2, draws=8, tune=10, progress=False)
    assert not fit.verdict.passed
    assert any("NOT CONVERGED" in str(one.message) for one in said)
