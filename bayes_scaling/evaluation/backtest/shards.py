"""One shard of a backtest: one law fitted to the runs of one split, and its forecast of the others.

A shard is told what to do by plain values, so that it can be sent to another process or machine; models travel as
documents, with the laws and likelihoods that are not this package's own.
"""

from __future__ import annotations

import hashlib
import json
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from bayes_scaling.data.fingerprints import plain
from bayes_scaling.errors import DataError, ScalingError, ScalingWarning
from bayes_scaling.evaluation.baselines.baseline import baseline
from bayes_scaling.evaluation.splits import Split
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.compiled.density import prepare
from bayes_scaling.inference.compiled.row_code import Unprintable
from bayes_scaling.inference.design import observe, with_evaluations
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.log_densities import head_data, log_predictive
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model
from bayes_scaling.models.user_laws import REGISTERING, Part, added_to, registered, text_of

PACKAGES = ("bayes-scaling", "pymc", "nutpie", "numpy")
META = "backtest"  # attribute that holds what a shard found besides its forecast


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for linear algebra in this process, and no warnings of single fits: the backtest names them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        yield


@dataclass(frozen=True)
class Shard:
    """What to fit and what to forecast.

    Attributes
    ----------
    law, split : str
        Names, which together tell shards apart.
    document : mapping or str
        Of the model, or the name of a published estimator.
    added : tuple of Component and Likelihood
        What the document names and is not this package's own.
    known, later : DataFrame
        Runs to fit; rows to forecast, with their outcomes.
    response : str
    seed : int or None
    settings : mapping
        For `fit` (chains, draws, tune, target_accept, attempts), or `baseline` (resamples).
    """

    law: str
    split: str
    document: Mapping[str, Any] | str
    added: tuple[Part, ...]
    known: pd.DataFrame
    later: pd.DataFrame
    response: str
    seed: int | None
    settings: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """Fingerprint of everything that the result depends on."""
        parts = [
            self.law,
            self.split,
            self.document,
            self.response,
            self.seed,
            dict(self.settings),
            [version(p) for p in PACKAGES],
            [text_of(part) for part in self.added],
        ]
        tables = [plain(t).to_csv(index=False) for t in (self.known, self.later)]
        return hashlib.sha256("\n".join([json.dumps(parts, default=str), *tables]).encode()).hexdigest()[:24]

    @property
    def model(self) -> Model:
        """The model that the document describes, with the laws and likelihoods that came along."""
        assert not isinstance(self.document, str)
        with registered(self.added):
            return from_document(self.document)


def shard_of(
    name: str, law: Model | str, split: Split, runs: pd.DataFrame, response: str, seed: int | None, settings: Any
) -> Shard:
    """Describe one law, under a name, on one split."""
    known, later = (runs[mask].reset_index(drop=True) for mask in (split.fitted, split.held_out))
    document, added = (law, ()) if isinstance(law, str) else (to_document(law), added_to(law))
    return Shard(name, split.name, document, added, known, later, response, seed, settings)


def run_shard(shard: Shard) -> xr.Dataset:
    """Fit and forecast, on one thread.

    Returns
    -------
    Dataset over (chain, draw, row)
        The forecast, in single precision, with the log predictive density of every outcome and what else was
        found; see `found_in`.  What fails is an empty Dataset that says why: one shard does not stop others.
    """
    start = time.perf_counter()
    with one_thread():
        try:
            ahead, found = _judged(shard) if isinstance(shard.document, str) else _fitted(shard)
        except Exception as error:
            return failed(shard, error, time.perf_counter() - start)
    found |= {"law": shard.law, "split": shard.split, "seconds": time.perf_counter() - start}
    lighter = {name: values.astype("float32") for name, values in ahead.items() if "draw" in values.dims}
    return ahead.assign(lighter).assign_attrs({META: json.dumps(found)})


def failed(shard: Shard, error: BaseException, seconds: float = np.nan) -> xr.Dataset:
    """The empty result of a shard that was refused, or that an error nobody thought of stopped."""
    found = {"law": shard.law, "split": shard.split, "seconds": seconds, "converged": False, "verdict": ""}
    found["problem"] = str(error)
    if not isinstance(error, ScalingError):
        found["problem"] = f"{type(error).__name__}: {error}"
        found["traceback"] = "".join(traceback.format_exception(error))
    return xr.Dataset(attrs={META: json.dumps(found)})


def prepared(shard: Shard) -> Model:
    """The model of a shard, compiled; by one thread at a time, so that no other one sees half of it."""
    model = shard.model
    with REGISTERING, suppress(Unprintable):  # a law that cannot be printed is compiled with its data
        prepare(model)
    return model


def found_in(result: xr.Dataset) -> dict[str, Any]:
    """What a shard found: law, split, whether the fit converged, its verdict, a problem if there was one, seconds."""
    return dict(json.loads(result.attrs[META]))


def _judged(shard: Shard) -> tuple[xr.Dataset, dict[str, Any]]:
    """A published estimator, which has no verdict to fail."""
    assert isinstance(shard.document, str)
    resamples = shard.settings["resamples"]
    ahead = baseline(shard.document, shard.known, shard.later, seed=shard.seed, resamples=resamples)
    names = {"accuracy": shard.response, "accuracy_mean": f"{shard.response}_mean"}
    return ahead.rename(names), {"converged": True, "verdict": ahead.attrs["verdict"], "problem": ""}


def _fitted(shard: Shard) -> tuple[xr.Dataset, dict[str, Any]]:
    own = shard.settings
    again = fit(
        prepared(shard),
        shard.known,
        seed=shard.seed,
        chains=own["chains"],
        draws=own["draws"],
        tune=own["tune"],
        target_accept=own["target_accept"],
        attempts=own["attempts"],
        progress=False,
        cores=1,
    )
    ahead = forecast(again, shard.later, seed=shard.seed, even_if_not_converged=True)
    found = {
        "converged": again.verdict.passed,
        "verdict": str(again.verdict),
        "problem": "",
        "r_hat": again.verdict.r_hat,
        "ess": min(again.verdict.ess_bulk, again.verdict.ess_tail),
        "divergences": again.verdict.divergences,
        "steps_per_draw": float(again.tree["sample_stats"]["n_steps"].mean()),
    }
    return ahead.assign(log_density=("row", log_scores(again, shard))), found


def log_scores(again: Fit, shard: Shard) -> np.ndarray:
    """Log predictive density of every outcome, shape (row,) [nats per unit of the response].

    Not a number where densities cannot be put in units of the response.
    """
    rows = np.full(len(shard.later), np.nan)
    head, _ = head_data(again, shard.response)
    later = with_evaluations(shard.later)
    try:
        data = observe(head, later, again.model)
        log_p = log_predictive(again, shard.response, later, data, seed=shard.seed)
    except DataError:
        return rows
    rows[data.rows] = logsumexp(log_p, axis=(0, 1)) - np.log(log_p.sizes["chain"] * log_p.sizes["draw"])
    return rows
