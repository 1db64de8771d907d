"""Several laws as one: fits with weights, and the mixture of their forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayes_scaling.arguments import items_of, name_of
from bayes_scaling.data.fingerprints import plain
from bayes_scaling.errors import DataError
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.messages import html_table
from bayes_scaling.models.responses.all_responses import RESPONSES

ROUNDING = 1e-6
POOLS = ("linear", "quantiles")


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
    pool : str
        "linear" mixes the draws of the laws, "quantiles" averages their quantiles; see `averaging.average`.

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
    pool: str = "linear"

    def __post_init__(self) -> None:
        object.__setattr__(self, "fits", tuple(self.fits))
        check_fits(self.fits)
        _check_weights(self.weights, self.names)
        _check_pool(self.pool, self.responses)

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

    def require_converged(self, *, even_if_not_converged: bool = False) -> None:
        """Refuse to go on if a fit that has weight failed its verdict, unless told to.

        Raises
        ------
        FitError
        """
        for law in self.laws:
            law.require_converged(even_if_not_converged=even_if_not_converged)

    @property
    def laws(self) -> tuple[Fit, ...]:
        """The fits of single laws that a forecast draws from: those that have any weight."""
        return tuple(fit for fit in self.fits if self.weights[fit.model.name] > 0)

    def _repr_html_(self) -> str:
        facts = {name: f"{self.weights[name]:.2f}" for name in sorted(self.names, key=lambda n: -self.weights[n])}
        return html_table(f"Average of {len(self.fits)} fits", facts | {"weights": self.how, "pool": self.pool})

    def __repr__(self) -> str:
        pooled = "" if self.pool == "linear" else f"; pool: {self.pool}"
        order = sorted(self.names, key=lambda name: -self.weights[name])
        lines = [f"    {self.weights[name]:.2f}  {name}" for name in order]
        return "\n".join([f"<Average of {len(self.fits)} fits; weights: {self.how}{pooled}", *lines]) + ">"


def shared_responses(fits: tuple[Fit, ...]) -> tuple[str, ...]:
    """Responses that the models of all fits have."""
    return tuple(name for name in fits[0].responses if all(name in fit.responses for fit in fits))


def main_response(fits: tuple[Fit, ...], wanted: str | None = None) -> str:
    """What fits are compared and weighed by: what is wanted, or the first of their responses that all share.

    Raises
    ------
    DataError
        The fits do not all forecast what is wanted.
    """
    shared = shared_responses(fits)
    if wanted is None:
        return min(shared, key=list(RESPONSES).index)
    if wanted not in shared:
        raise DataError(f"response must be one that all fits forecast, of {list(shared)}, not {wanted!r}")
    return wanted


def fits_of(given: object) -> tuple[Fit, ...]:
    """Fits whose forecasts can be averaged and compared, as a tuple.

    Raises
    ------
    DataError
        Something else is given; or see `check_fits`.
    """
    fits = tuple(items_of("fits", given, Fit, "bs.fit(model, runs)"))
    check_fits(fits)
    return fits


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
        each = {fit.model.name: list(fit.responses) for fit in fits}
        raise DataError(f"the models forecast nothing in common: {each}")


def _check_weights(weights: Mapping[str, float], names: tuple[str, ...]) -> None:
    if set(weights) != set(names):
        raise DataError(f"weights must name the models {sorted(names)}, each once; got {sorted(weights)}")
    values = np.array([weights[name] for name in names], float)
    if not (np.all(values >= 0) and abs(values.sum() - 1) <= ROUNDING):
        raise DataError(f"weights must not be negative and must sum to 1, got {dict(weights)}")


def _check_pool(pool: str, responses: tuple[str, ...]) -> None:
    name_of("pool", pool, POOLS)
    tied = [RESPONSES[name].label for name in responses if "k" in RESPONSES[name].columns]
    if pool == "quantiles" and tied:
        raise DataError(
            f"quantiles of {tied[0]} cannot be averaged, because its draws must rise with k; say pool='linear'"
        )


def require_fit(fit: object) -> None:
    """Refuse what cannot be asked.

    Raises
    ------
    DataError
    """
    if not isinstance(fit, Fit | Average):
        raise DataError(f"this is asked of a fit or an average of fits, such as bs.fit makes, not of {fit!r}")
