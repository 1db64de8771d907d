"""One refit, described by plain values, so that it can be sent to another process or machine, and found again.

Models travel as documents, with the laws, likelihoods and responses that are not this package's own.
"""

from __future__ import annotations

import hashlib
import json
import time
import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.fingerprints import plain
from bayes_scaling.errors import ScalingError, ScalingWarning
from bayes_scaling.inference.compiled.density import prepare
from bayes_scaling.inference.compiled.row_code import Unprintable
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.documents import from_document
from bayes_scaling.models.model import Model
from bayes_scaling.models.user_laws import REGISTERING, Part, registered, text_of
from bayes_scaling.version import versions

RESULT = "backtest"  # attribute that holds what a task found besides its draws

Found = dict[str, Any]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for linear algebra in this process, and no warnings of single fits: who asked for them names them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        yield


@dataclass(frozen=True)
class Task(ABC):
    """What to fit again, and what to take from it.

    Attributes
    ----------
    law, what : str
        Name of the law, and what is fitted or left out; together they tell tasks apart.
    document : mapping or str
        Of the model, or the name of a published estimator.
    added : tuple
        What the document names and is not this package's own.
    response : str
    seed : int or None
    settings : mapping
        Of the fit, as in `inference.settings`, or of the published estimator.
    """

    law: str
    what: str
    document: Mapping[str, Any] | str
    added: tuple[Part, ...]
    response: str
    seed: int | None
    settings: Mapping[str, Any]

    @abstractmethod
    def compute(self) -> tuple[xr.Dataset, Found]:
        """Fit, and return draws to keep and what else was found."""

    @abstractmethod
    def tables(self) -> tuple[pd.DataFrame, ...]:
        """The data that the result depends on."""

    @cached_property
    def key(self) -> str:
        """Fingerprint of everything that the result depends on."""
        parts = [
            type(self).__name__,
            self.law,
            self.what,
            self.document,
            self.response,
            self.seed,
            dict(self.settings),
            versions("bayes-scaling", "pymc", "nutpie", "numpy"),
            [text_of(part) for part in self.added],
        ]
        tables = [plain(table).to_csv(index=False) for table in self.tables()]
        return hashlib.sha256("\n".join([json.dumps(parts, default=str), *tables]).encode()).hexdigest()[:24]

    @property
    def model(self) -> Model:
        """The model that the document describes, with the laws and likelihoods that came along."""
        assert not isinstance(self.document, str)
        with registered(self.added):
            return from_document(self.document)

    def prepared(self) -> Model:
        """The model, compiled; by one thread at a time, so that no other one sees half of it."""
        model = self.model
        with REGISTERING, suppress(Unprintable):  # a law that cannot be printed is compiled with its data
            prepare(model)
        return model


def run_task(task: Task) -> xr.Dataset:
    """Do what a task says, on one thread.

    Returns
    -------
    Dataset
        The draws in single precision, and what else was found, see `found_in`.  What fails is an empty Dataset that
        says why: one task does not stop others.
    """
    start = time.perf_counter()
    with one_thread():
        try:
            draws, found = task.compute()
        except Exception as error:
            return failed(task, error, time.perf_counter() - start)
    found |= {"law": task.law, "split": task.what, "seconds": time.perf_counter() - start}
    lighter = {name: values.astype("float32") for name, values in draws.items() if "draw" in values.dims}
    return draws.assign(lighter).assign_attrs({RESULT: json.dumps(found)})


def failed(task: Task, error: BaseException, seconds: float = np.nan) -> xr.Dataset:
    """The empty result of a task that was refused, or that an error nobody thought of stopped."""
    found: Found = {"law": task.law, "split": task.what, "seconds": seconds, "converged": False, "verdict": ""}
    found["problem"] = str(error)
    if not isinstance(error, ScalingError):
        found["problem"] = f"{type(error).__name__}: {error}"
        found["traceback"] = "".join(traceback.format_exception(error))
    return xr.Dataset(attrs={RESULT: json.dumps(found)})


def diagnostics(refit: Fit) -> Found:
    """What to keep of the verdict on a refit."""
    verdict = refit.verdict
    return {
        "converged": verdict.passed,
        "verdict": str(verdict),
        "problem": "",
        "r_hat": verdict.r_hat,
        "ess": min(verdict.ess_bulk, verdict.ess_tail),
        "divergences": verdict.divergences,
        "steps_per_draw": float(refit.tree["sample_stats"]["n_steps"].mean()),
    }


def found_in(result: xr.Dataset) -> Found:
    """What a task found: whether the fit converged, its verdict, a problem if there was one, seconds, and so on."""
    return dict(json.loads(result.attrs[RESULT]))
