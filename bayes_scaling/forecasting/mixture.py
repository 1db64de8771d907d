"""The forecasts of several laws mixed into one."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from bayes_scaling.files.digests import canonical
from bayes_scaling.forecasting.notes import joined, remarks_of
from bayes_scaling.inference.averaged_fits import Average

_POOLED = {
    "linear": "draws from {} laws, whose differences widen the bands",
    "quantiles": "averages the quantiles of {} laws, whose differences do not widen the bands",
}


def mixed(average: Average, parts: list[xr.Dataset], seed: int | None) -> xr.Dataset:
    """Mix the forecasts of several laws into one of the same form.

    In a linear pool every draw comes from one law in all its rows, so that rows of one run and averages over benchmarks
    stay coherent.  The numbers of draws per law are in proportion to the weights.  Where quantiles are averaged, the
    draws keep the order that they have in the linear pool.

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
        picked = np.take_along_axis(each, laws[None, ..., None], axis=0)[0]
        pooled = picked if average.pool == "linear" else averaged_quantiles(each, shares, picked)
        out[name] = (("chain", "draw", "row"), pooled)
    coords = parts[0].isel(chain=slice(chains), draw=slice(draws)).coords
    coords["note"] = ("row", joined_notes(parts))
    return xr.Dataset(out, coords).assign_attrs(_provenance(average, parts, seed))


def averaged_quantiles(each: np.ndarray, shares: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Draws whose quantiles are the weighted means of the quantiles of several laws, in every row.

    Parameters
    ----------
    each : (law, chain, draw, row) array
    shares : (law,) array
    order : (chain, draw, row) array
        Draws whose order within every row the result has, so that rows go together as these do.

    Returns
    -------
    (chain, draw, row) array
    """
    laws, rows = each.shape[0], each.shape[-1]
    quantiles = np.tensordot(shares, np.sort(each.reshape(laws, -1, rows), axis=1), axes=1)
    ranks = order.reshape(-1, rows).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return np.take_along_axis(quantiles, ranks, axis=0).reshape(order.shape)


def joined_notes(parts: list[xr.Dataset]) -> np.ndarray:
    """Every remark that any law makes on a row, each once; shape (row,)."""
    rows = zip(*(part["note"].to_numpy() for part in parts), strict=True)
    return np.array([joined(remark for note in row for remark in remarks_of(note)) for row in rows], dtype=object)


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
    texts = {
        what: [part.attrs[what] for part in parts] for what in ("model", "verdict", "converged", "law_uncertainty")
    }
    return {
        "model": "average of " + ", ".join(average.names),
        "verdict": _each(texts["model"], texts["verdict"]),
        "converged": str(all(text == "True" for text in texts["converged"])),
        "law_uncertainty": (
            f"{_POOLED[average.pool].format(len(parts))}; each {_each(texts['model'], texts['law_uncertainty'])}"
            if len(parts) > 1
            else texts["law_uncertainty"][0]
        ),
        "weights": json.dumps({name: round(float(average.weights[name]), 6) for name in average.names}),
        "weights_from": average.how,
        "pool": average.pool,
        "model_document": _documents(average, parts),
        **{name: first[name] for name in ("runs_sha256", "plan_sha256", "benchmarks", "version")},
        "seed": str(seed),
    }


def _documents(average: Average, parts: list[xr.Dataset]) -> str:
    """Documents of all laws that have weight, with their weights, as JSON."""
    pairs = [(average.weights[part.attrs["model"]], json.loads(part.attrs["model_document"])) for part in parts]
    return canonical({"average": [{"weight": float(weight), "model": document} for weight, document in pairs]})


def _each(names: list[str], texts: list[str]) -> str:
    """What is said of every model, once where all say the same."""
    return texts[0] if len(set(texts)) == 1 else "; ".join(f"{n}: {t}" for n, t in zip(names, texts, strict=True))
