"""Scores of runs that a fit did not see: laws compared by leave-one-out, and folds that hold out the largest runs."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.cuts import SIZES, default_cuts, rounded, well_known
from bayes_scaling.evaluation.loo_refits import REFIT, REFITS_AT_MOST, doubts, repaired, sampled
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.evaluation.row_masks import Split
from bayes_scaling.inference.averaged_fits import shared_responses
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.log_densities import response_data
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.effects import NOISE_GROUPS

SMALL = 0.1  # a weight that all but says that a law is wrong


def check_same_rows(fits: tuple[Fit, ...]) -> None:
    """Refuse models that observe one response in different rows: their scores cannot be compared.

    Raises
    ------
    DataError
        Names the models and the response.
    """
    for response in shared_responses(fits):
        rows = [response_data(one, response)[1].rows for one in fits]
        if other := [f.model.name for f, r in zip(fits, rows, strict=True) if not np.array_equal(r, rows[0])]:
            raise DataError(
                f"{other} observe {response} in other rows than {fits[0].model.name!r}: no data can weigh one against "
                "the other; average with weights='equal'"
            )


def leave_one_out(
    fits: tuple[Fit, ...],
    *,
    refit: bool = True,
    seed: int | None = None,
    refits_at_most: int = REFITS_AT_MOST,
    settings: Settings = Settings(),
    engine: Engine = Engine(),
) -> tuple[pd.DataFrame, list[str]]:
    """Compare laws by leave-one-out densities of single scores, and stack them, as ArviZ does.

    Parameters
    ----------
    fits : tuple of Fit
    refit : bool
        Fit again, without them, where importance sampling is unreliable.
    seed, refits_at_most, settings, engine
        Of the refits of each model, see `loo_refits.repaired`.

    Returns
    -------
    table : DataFrame
        One row per model, the best first: ``model``, the columns of `arviz.compare` (``elpd`` and differences in
        nats, ``weight`` by stacking), ``pareto_k_max``, ``pareto_k_high`` (rows where importance sampling is
        unreliable), ``rows_refitted`` (those of them that refits without the row have replaced), ``elpd_before`` (with
        importance sampling in all rows) and ``rows``.
    warned : list of str
        Why not to rely on it.

    Raises
    ------
    DataError
        The models observe different rows, or densities are not finite or in units that cannot be compared.
    """
    import arviz_stats as azs

    check_same_rows(fits)
    responses = shared_responses(fits)
    quick = {one.model.name: sampled(one, responses) for one in fits}
    most = refits_at_most if refit else 0
    each = {}
    for one in fits:
        found = quick[one.model.name]
        mended = repaired(one, found, responses, seed=seed, refits_at_most=most, settings=settings, engine=engine)
        each[one.model.name] = mended
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = azs.compare({name: found for name, (found, _) in each.items()}, method="stacking", round_to="none")
    table["pareto_k_max"] = [float(quick[name].pareto_k.max()) for name in table.index]
    table["pareto_k_high"] = [len(each[name][1]) for name in table.index]
    table["rows_refitted"] = [int((each[name][1]["by"] == REFIT).sum()) for name in table.index]
    table["elpd_before"] = [float(quick[name].elpd) for name in table.index]
    table["rows"] = [quick[name].n_data_points for name in table.index]
    weak = [text for name, (found, record) in each.items() for text in doubts(name, found, record)]
    others = [w.message for w in caught if issubclass(w.category, UserWarning) and "Pareto" not in str(w.message)]
    return table.rename_axis("model").reset_index(), [*weak, *_close(table), *dict.fromkeys(map(str, others))]


def _close(table: pd.DataFrame) -> list[str]:
    """Laws without weight that the scores do not tell from the best one."""
    return [
        f"{name} has a weight of {row['weight']:.2f}, but is only {-row['elpd_diff']:.1f} ± {row['dse']:.1f} nats "
        f"worse than {table.index[0]}: these scores do not tell them apart"
        for name, row in table.iloc[1:].iterrows()
        if row["weight"] < SMALL and -row["elpd_diff"] < 2 * row["dse"]
    ]


def folds_by_scale(fits: tuple[Fit, ...]) -> list[Split]:
    """Cuts in compute that leave enough sizes below, and the rows above that every model can be asked for.

    Raises
    ------
    DataError
        No cut leaves enough sizes of any benchmark.
    """
    runs = fits[0].runs
    observed = [response_data(fits[0], response)[1].rows for response in shared_responses(fits)]
    scored = np.isin(np.arange(len(runs)), np.concatenate(observed))
    flops = runs["flops"].to_numpy(float) if "flops" in runs else np.full(len(runs), np.nan)
    groups = {g for one in fits for g in one.model.groups if g not in NOISE_GROUPS}
    found = []
    for cut in default_cuts(flops[scored]):
        held_out = scored & (flops > cut) & well_known(runs, rounded(flops), scored & (flops <= cut), groups=groups)
        if held_out.any():
            found.append(Split(f"flops ≤ {cut:.3g}", flops <= cut, held_out))
    if not found:
        sizes = np.unique(rounded(flops)[scored & np.isfinite(flops)]).size
        raise DataError(
            f"the runs have {sizes} sizes: no cut in compute leaves {SIZES} sizes of a benchmark below and a run "
            "above; average with weights='loo', which asks for interpolation only, or weights='equal'"
        )
    return found
