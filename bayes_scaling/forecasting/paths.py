"""The path through sizes and tokens that curves over compute take."""

from __future__ import annotations

import numpy as np

from bayes_scaling.data.sizes import flops_of, sizes_of
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit


def path(fit: Fit | Average) -> tuple[float, float]:
    """Median tokens per parameter of the runs, and median FLOPs per 6 N D."""
    runs = fit.runs
    ratio, count = runs["tokens"] / runs["params"], runs["flops"] / flops_of(runs["params"], runs["tokens"])
    return float(ratio.median()), float(count.median())


def reads_sizes(fit: Fit | Average) -> bool:
    """Whether a law reads parameters or tokens, and not compute alone."""
    read = {column for law in fit.laws for part in law.model.responses for column in part.columns}
    return not {"params", "tokens"}.isdisjoint(read)


def sizes_along(
    fit: Fit | Average, flops: np.ndarray, tokens_per_param: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and tokens at some compute, counted as the fitted runs count theirs.

    Parameters
    ----------
    fit : Fit or Average
    flops : array
    tokens_per_param : float, optional
        That of the runs, where it is not given.
    """
    ratio, count = path(fit)
    return sizes_of(flops / count, ratio if tokens_per_param is None else tokens_per_param)
