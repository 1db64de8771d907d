"""How runs count their compute: FLOPs as a multiple of 6 N D, which plans take over.

Many tables count attention or embeddings too, so their FLOPs are not 6 N D (Kaplan et al. 2020, arXiv 2001.08361,
Eq. 2.2 leaves both out).  A plan filled in as 6 N D would then stand at another compute than the runs it continues.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.data.sizes import flops_of

NEAR = 0.05  # counted as 6 N D up to this share
EXACT = 1e-6
FROM_FLOPS = "sizes from flops"  # a plan's attribute: compute was given, and the sizes follow from it
MULTIPLE = "flops_multiple"  # a plan's column: the multiple of 6 N D that was put in place of 6 N D


def multiple_of_6nd(runs: pd.DataFrame, params: np.ndarray) -> np.ndarray:
    """FLOPs over 6 N D as runs of these sizes count it; 1 where the runs say nothing or count 6 N D.

    Between the sizes of the runs it is interpolated in the logarithm of params; beyond them it is that of the nearest.

    Parameters
    ----------
    runs : DataFrame
    params : (row,) array
        Sizes that are asked for.

    Examples
    --------
    >>> runs = pd.DataFrame({"params": [1e8, 1e9], "tokens": [2e9, 2e10], "flops": [1.8e18, 1.44e20]})
    >>> multiple_of_6nd(runs, np.array([1e8, 1e9, 1e10])).round(3).tolist()
    [1.5, 1.2, 1.2]
    """
    same = np.ones(len(params))
    if not {"params", "tokens", "flops"} <= set(runs):
        return same
    known = runs[["params", "tokens", "flops"]].astype(float).dropna()
    known = known.assign(multiple=known["flops"] / flops_of(known["params"], known["tokens"]))
    sizes = known.groupby("params")["multiple"].median()
    if sizes.empty or ((sizes - 1).abs() < NEAR).all():
        return same
    asked = np.where(np.isfinite(params), params, sizes.index[0])
    return np.interp(np.log(asked), np.log(sizes.index.to_numpy(float)), sizes.to_numpy())


def counted_as(runs: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Count the compute of a plan as the runs count theirs, where the plan has exactly 6 N D.

    Where sizes were given, the compute changes.  Where compute was given with tokens per parameter, the sizes do.

    Returns
    -------
    DataFrame
        With the column ``MULTIPLE``: blank where nothing was changed.
    """
    if MULTIPLE in plan:  # changed before
        return plan
    if not {"params", "tokens", "flops"} <= set(plan):
        return plan.assign(**{MULTIPLE: np.nan})
    params, tokens, flops = (plan[name].to_numpy(float) for name in ("params", "tokens", "flops"))
    multiple = multiple_of_6nd(runs, params)
    filled = np.isclose(flops, flops_of(params, tokens), rtol=EXACT) & (np.abs(multiple - 1) > NEAR)
    changed = plan.assign(**{MULTIPLE: np.where(filled, multiple, np.nan)})
    if plan.attrs.get(FROM_FLOPS):
        shrink = np.where(filled, np.sqrt(multiple), 1.0)
        return changed.assign(params=params / shrink, tokens=tokens / shrink)
    return changed.assign(flops=np.where(filled, flops * multiple, flops))
