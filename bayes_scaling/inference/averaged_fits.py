"""Several laws as one: fits with weights, and the mixture of their forecasts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.provenance import canonical
from bayes_scaling.inference.fitting import Fit

ROUNDING = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Average:
    """Fits of different laws to the same runs, and how much each counts in a forecast; see `averaging.average`.

    Attributes
    ----------
    fits : tuple of Fit
        Of models with different names, to the same rows.
    weights : mapping
        Name of the model -> share of the draws of a forecast; the shares sum to 1.
    how : str
        Where the weights come from.
    evidence : DataFrame
        What they rest on, one row per model and test; empty where they rest on no data.

    Raises
    ------
    DataError
        No fits, names that are not distinct, different runs, no common response, or weights that are not shares of
        exactly these models.
    """

    fits: tuple[Fit, ...]
    weights: Mapping[str, float]
    how: str = "given"
    evidence: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fits", tuple(self.fits))
        check_fits(self.fits)
        _check_weights(self.weights, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models."""
        return tuple(fit.model.name for fit in self.fits)

    @property
    def runs(self) -> pd.DataFrame:
        """The runs that all fits were made on."""
        return self.fits[0].runs

    @property
    def responses(self) -> tuple[str, ...]:
        """What all models forecast, in the order of the first."""
        return shared_responses(self.fits)

    @property
    def weighted(self) -> tuple[Fit, ...]:
        """Fits that have any weight."""
        return tuple(fit for fit in self.fits if self.weights[fit.model.name] > 0)

    def __repr__(self) -> str:
        order = sorted(self.names, key=lambda name: -self.weights[name])
        lines = [f"    {self.weights[name]:.2f}  {name}" for name in order]
        return "\n".join([f"<Average of {len(self.fits)} fits; weights: {self.how}", *lines]) + ">"


def shared_responses(fits: tuple[Fit, ...]) -> tuple[str, ...]:
    """Responses that the models of all fits have."""
    each = [[head.response for head in fit.model.heads] for fit in fits]
    return tuple(response for response in each[0] if all(response in others for others in each))


def check_fits(fits: tuple[Fit, ...]) -> None:
    """Refuse fits whose forecasts cannot be averaged.

    Raises
    ------
    DataError
        See `Average`.
    """
    names = [fit.model.name for fit in fits]
    if not fits:
        raise DataError("there are no fits to average; average([fit_of_one_law, fit_of_another]) takes some")
    if len(set(names)) < len(names):
        raise DataError(f"every fit needs a model with a name of its own; these are called {names}")
    first = plain(fits[0].runs)
    if others := [fit.model.name for fit in fits[1:] if not plain(fit.runs).equals(first)]:
        raise DataError(
            f"fits of {others} were made on other runs than that of {names[0]!r}: fit all models to the same table"
        )
    if not shared_responses(fits):
        each = {fit.model.name: [head.response for head in fit.model.heads] for fit in fits}
        raise DataError(f"the models forecast nothing in common: {each}")


def plain(runs: pd.DataFrame) -> pd.DataFrame:
    """Values of runs alone, for comparison: whatever the types of columns and blanks, as of fits read from files."""
    return runs.astype(object).where(runs.notna(), "").sort_index(axis=1).reset_index(drop=True)


def _check_weights(weights: Mapping[str, float], names: tuple[str, ...]) -> None:
    if set(weights) != set(names):
        raise DataError(f"weights must name the models {sorted(names)}, each once; got {sorted(weights)}")
    values = np.array([weights[name] for name in names], float)
    if not (np.all(values >= 0) and abs(values.sum() - 1) <= ROUNDING):
        raise DataError(f"weights must not be negative and must sum to 1, got {dict(weights)}")


def mixed(average: Average, parts: list[xr.Dataset], seed: int | None) -> xr.Dataset:
    """Mix the forecasts of several laws into one of the same form.

    Every draw comes from one law in all its rows, so that rows of one run and averages over benchmarks stay
    coherent.  The numbers of draws per law are in proportion to the weights.

    Parameters
    ----------
    average : Average
    parts : list of Dataset over (chain, draw, row)
        One for every fit that has weight, of one plan.
    seed : int, optional
        Decides which draw comes from which law.

    Returns
    -------
    Dataset over (chain, draw, row)
        As many chains and draws as the shortest part has.
    """
    chains, draws = (min(part.sizes[dim] for part in parts) for dim in ("chain", "draw"))
    shares = np.array([average.weights[part.attrs["model"]] for part in parts])
    laws = assigned(shares, chains, draws, seed)
    out = {}
    for name in (n for response in average.responses for n in (f"{response}_mean", response)):
        each = np.stack([_thinned(part[name].to_numpy(), chains, draws) for part in parts])
        out[name] = (("chain", "draw", "row"), np.take_along_axis(each, laws[None, ..., None], axis=0)[0])
    coords = parts[0].isel(chain=slice(chains), draw=slice(draws)).coords
    return xr.Dataset(out, coords).assign_attrs(_provenance(average, parts, seed))


def assigned(shares: np.ndarray, chains: int, draws: int, seed: int | None) -> np.ndarray:
    """Which law each draw comes from, by systematic sampling: numbers differ from their shares by less than 1.

    Parameters
    ----------
    shares : (law,) array
        Sums to 1.
    chains, draws : int
    seed : int, optional

    Returns
    -------
    (chain, draw) int array
    """
    own = np.random.SeedSequence(seed).spawn(1)[0]  # apart from the stream that draws the forecasts
    rng = np.random.default_rng(own)
    points = (np.arange(chains * draws) + rng.uniform(0.1, 0.9)) / (chains * draws)
    laws = np.searchsorted(np.cumsum(shares)[:-1], points, side="right")
    return rng.permuted(laws.reshape(draws, chains).T, axis=1)


def _thinned(values: np.ndarray, chains: int, draws: int) -> np.ndarray:
    """Evenly spaced draws (chain, draw, row) of an array with at least as many."""
    flat = values.reshape(-1, values.shape[-1])
    at = np.arange(chains * draws) * len(flat) // (chains * draws)
    return flat[at].reshape(chains, draws, -1)


def _provenance(average: Average, parts: list[xr.Dataset], seed: int | None) -> dict[str, str]:
    """Attributes as of any forecast, with weights and where they come from."""
    first = parts[0].attrs
    said = {what: [part.attrs[what] for part in parts] for what in ("model", "verdict", "converged", "law_uncertainty")}
    return {
        "model": "average of " + ", ".join(average.names),
        "verdict": _each(said["model"], said["verdict"]),
        "converged": str(all(text == "True" for text in said["converged"])),
        "law_uncertainty": (
            f"included as far as {len(parts)} laws differ; of each law, {_each(said['model'], said['law_uncertainty'])}"
            if len(parts) > 1
            else said["law_uncertainty"][0]
        ),
        "weights": json.dumps({name: round(float(average.weights[name]), 6) for name in average.names}),
        "weights_from": average.how,
        "model_document": _documents(average, parts),
        **{name: first[name] for name in ("runs_sha256", "plan_sha256", "version")},
        "seed": str(seed),
    }


def _documents(average: Average, parts: list[xr.Dataset]) -> str:
    """Documents of all laws that have weight, with their weights, as JSON."""
    pairs = [(average.weights[part.attrs["model"]], json.loads(part.attrs["model_document"])) for part in parts]
    return canonical({"average": [{"weight": float(weight), "model": document} for weight, document in pairs]})


def _each(names: list[str], texts: list[str]) -> str:
    """What is said of every model, once where all say the same."""
    return texts[0] if len(set(texts)) == 1 else "; ".join(f"{n}: {t}" for n, t in zip(names, texts, strict=True))
