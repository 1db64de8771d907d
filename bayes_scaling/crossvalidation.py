"""Scores of runs that a fit did not see: leave-one-out by ArviZ, and folds that hold out the largest runs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.ensemble import shared_responses
from bayes_scaling.errors import DataError
from bayes_scaling.fitting import Fit
from bayes_scaling.layout import read_by_users
from bayes_scaling.model import NOISE_GROUPS
from bayes_scaling.pointwise import head_data, log_likelihood

HELD_OUT = (0.25, 0.5)  # shares of the range of log compute that folds hold out, from the top
SIZES = 4  # different sizes of runs that a benchmark or mixture needs below a cut: fewer do not show a law
SMALL = 0.1  # a weight that all but says that a law is wrong


@dataclass(frozen=True)
class Fold:
    """Runs to fit again and runs to forecast.

    Attributes
    ----------
    cut : float
        Most compute of a run to fit [FLOPs].
    fitted, held_out : (row,) bool array
        Rows of the runs.
    """

    cut: float
    fitted: np.ndarray
    held_out: np.ndarray


def check_same_rows(fits: tuple[Fit, ...]) -> None:
    """Refuse models that observe one response in different rows: their scores cannot be compared.

    Raises
    ------
    DataError
        Names the models and the response.
    """
    for response in shared_responses(fits):
        rows = [head_data(one, response)[1].rows for one in fits]
        if other := [f.model.name for f, r in zip(fits, rows, strict=True) if not np.array_equal(r, rows[0])]:
            raise DataError(
                f"{other} observe {response} in other rows than {fits[0].model.name!r}: no data can weigh one against "
                "the other; average with weights='equal'"
            )


def leave_one_out(fits: tuple[Fit, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Compare laws by leave-one-out densities of single scores, and stack them, as ArviZ does.

    Returns
    -------
    table : DataFrame
        One row per model, the best first: ``model``, the columns of `arviz.compare` (``elpd`` and differences in
        nats, ``weight`` by stacking), ``pareto_k_max``, ``pareto_k_high`` (rows that are unreliable) and ``rows``.
    warned : list of str
        Why not to rely on it.

    Raises
    ------
    DataError
        The models observe different rows, or densities are not finite or in units that cannot be compared.
    """
    import arviz_stats as azs

    check_same_rows(fits)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        each = {one.model.name: azs.loo(_for_arviz(one, shared_responses(fits)), pointwise=True) for one in fits}
        table = azs.compare(each, method="stacking", round_to="none")
    if lost := list(table.index[~np.isfinite(table["elpd"].astype(float))]):
        raise DataError(f"{lost} give some scores no finite leave-one-out density; average with weights='equal'")
    table["pareto_k_max"] = [float(each[name].pareto_k.max()) for name in table.index]
    table["pareto_k_high"] = [int((each[name].pareto_k > each[name].good_k).sum()) for name in table.index]
    table["rows"] = [each[name].n_data_points for name in table.index]
    weak = [
        f"{name}: Pareto k is above {each[str(name)].good_k:.2f} in {row['pareto_k_high']} of {row['rows']} rows "
        f"(largest {row['pareto_k_max']:.2f}): their leave-one-out densities are unreliable, and so are weights that "
        "rest on them"
        for name, row in table.iterrows()
        if row["pareto_k_high"]
    ]
    close = [
        f"{name} has a weight of {row['weight']:.2f}, but is only {-row['elpd_diff']:.1f} ± {row['dse']:.1f} nats "
        f"worse than {table.index[0]}: these scores do not tell them apart"
        for name, row in table.iloc[1:].iterrows()
        if row["weight"] < SMALL and -row["elpd_diff"] < 2 * row["dse"]
    ]
    others = [w.message for w in caught if issubclass(w.category, UserWarning) and "Pareto" not in str(w.message)]
    return table.rename_axis("model").reset_index(), [*weak, *close, *dict.fromkeys(map(str, others))]


def _for_arviz(one: Fit, responses: tuple[str, ...]) -> xr.DataTree:
    """Posterior and pointwise log likelihood of a fit, as ArviZ reads them."""
    parts = [log_likelihood(one, response) for response in responses]
    log_p = xr.concat(parts, dim="row").drop_vars("row").to_dataset(name="reported")
    return xr.DataTree.from_dict({"posterior": one.posterior[read_by_users(one.model)], "log_likelihood": log_p})


def folds_by_scale(fits: tuple[Fit, ...]) -> list[Fold]:
    """Cuts in compute that leave enough sizes below, and the rows above that every model can be asked for.

    Raises
    ------
    DataError
        No cut leaves enough sizes of any benchmark.
    """
    runs = fits[0].runs
    observed = [head_data(fits[0], response)[1].rows for response in shared_responses(fits)]
    scored = np.isin(np.arange(len(runs)), np.concatenate(observed))
    flops = runs["flops"].to_numpy(float) if "flops" in runs else np.full(len(runs), np.nan)
    decades = np.round(np.log10(flops), 2)  # runs that are as large as each other, up to rounding
    sizes = np.unique(decades[scored & np.isfinite(decades)])
    found = {}
    for share in HELD_OUT if sizes.size else ():
        cut = sizes[sizes <= sizes[-1] - share * np.ptp(sizes) + 1e-9][-1]
        fitted = decades <= cut
        held_out = scored & (decades > cut) & _learnable(fits, runs, decades, scored & fitted)
        if held_out.any():
            found[cut] = Fold(float(flops[fitted].max()), fitted, held_out)
    if not found:
        raise DataError(
            f"the runs have {sizes.size} sizes: no cut in compute leaves {SIZES} sizes of a benchmark below and a run "
            "above; average with weights='loo', which asks for interpolation only, or weights='equal'"
        )
    return list(found.values())


def _learnable(fits: tuple[Fit, ...], runs: pd.DataFrame, decades: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Rows all of whose labels have enough sizes among the fitted rows."""
    groups = {g for one in fits for g in one.model.groups if g not in NOISE_GROUPS}
    below = runs.assign(_size=decades)[fitted]
    enough = np.full(len(runs), below["_size"].nunique() >= SIZES)
    for group in groups:
        known = runs[group].map(below.groupby(group)["_size"].nunique()).fillna(0) >= SIZES
        enough &= (known | runs[group].isna()).to_numpy()  # a loss belongs to no benchmark
    return enough
