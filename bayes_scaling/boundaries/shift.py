r"""Whether an older test became easier than a fresh one of its kind for models that could have seen it.

With k right answers of n items of model i on the old and on the fresh test,

.. math:: k^{old}_i \sim \text{Binomial}(n^{old}_i, \sigma(a_i + \delta\, l_i + e_i)), \qquad
          k^{new}_i \sim \text{Binomial}(n^{new}_i, \sigma(\bar a + \beta (a_i - \bar a) - g)),

where l is 1 for models released on or after a date.  g says how much harder the fresh test is, β lets the difference
depend on how good a model is beside the mean of all, and e is normal: a model may suit one test better than the other.
e^δ is the odds ratio of a difference in differences: 1 where nothing changed at the date.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.files.frames import as_frame
from bayes_scaling.inference.sampling import thinned
from bayes_scaling.inference.settings import Settings, checked_seed
from bayes_scaling.inference.verdict import judge
from bayes_scaling.messages import listed

COLUMNS = ("date", "old_score", "old_items", "new_score", "new_items")
FEWEST = 3  # models on either side of the date
READ = ("shift", "gap", "slope", "model_sd")
THIN, TARGET_ACCEPT = 4, 0.95


def shift_probe(
    pairs: pd.DataFrame,
    date: str,
    *,
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 600,
    target_accept: float | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Odds ratio by which an older test became easier, against a fresh one, for models released after a date.

    An odds ratio above 1 is what contamination would do; so would a change in what models are trained for.  The
    probe cannot tell these apart.  Noise of a finite number of items is binomial.

    Parameters
    ----------
    pairs : DataFrame
        One row a model: ``date`` of its release, ``old_score`` and ``new_score`` [proportion], ``old_items`` and
        ``new_items``.
    date : str
        Such as "2024-06-30", the day when the old test, or its answers, became public.
    seed, chains, draws, tune, target_accept, progress
        As for `fit`.

    Returns
    -------
    Dataset over (chain, draw)
        ``odds_ratio``; ``gap`` (g), ``slope`` (β) and ``model_sd`` (of e), in log odds.  Attributes: ``verdict``,
        ``converged``, ``models_before`` and ``models_after``.

    Raises
    ------
    DataError
        A column is missing or holds what cannot be, or fewer than three models lie on one side of the date.

    Warns
    -----
    ScalingWarning
        The posterior did not converge.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import bayes_scaling as bs
    >>> rng = np.random.default_rng(1)
    >>> late, ability = np.arange(40) >= 20, rng.normal(0, 0.8, 40)
    >>> chances = 1 / (1 + np.exp(-ability - 0.8 * late)), 1 / (1 + np.exp(0.5 - ability))
    >>> old, new = (rng.binomial(300, p) / 300 for p in chances)
    >>> pairs = pd.DataFrame(
    ...     {"date": np.where(late, "2025-01-01", "2024-01-01"), "old_score": old, "new_score": new,
    ...      "old_items": 300, "new_items": 300}
    ... )
    >>> found = bs.shift_probe(pairs, "2024-06-30", seed=1, progress=False)
    >>> bool(found["odds_ratio"].quantile(0.05) > 1.5)
    True
    """
    import nutpie

    settings, seed = Settings(chains, draws, tune, THIN, target_accept or TARGET_ACCEPT, 1), checked_seed(seed)
    table, late = _checked(pairs, date)
    trace = nutpie.sample(
        nutpie.compile_pymc_model(_model(table, late)),
        draws=settings.draws * THIN,
        tune=settings.tune,
        chains=settings.chains,
        seed=seed,
        save_warmup=False,
        progress_bar=sys.stderr.isatty() if progress is None else progress,
        target_accept=settings.target_accept,
        maxdepth=settings.max_depth,
    )
    drawn = trace["posterior"].to_dataset()[list(READ)].isel(draw=slice(THIN - 1, None, THIN))
    drawn = drawn.assign_coords(draw=np.arange(settings.draws))
    stats = thinned(trace["sample_stats"].to_dataset()[["diverging", "energy", "depth"]], THIN)
    verdict = judge(drawn, stats, max_depth=settings.max_depth)
    if not verdict.passed:
        warnings.warn(f"shift_probe: {verdict}", ScalingWarning, stacklevel=2)
    found = drawn[["gap", "slope", "model_sd"]].assign(odds_ratio=np.exp(drawn["shift"]))
    return found.assign_attrs(
        verdict=str(verdict), converged=str(verdict.passed), models_before=int((~late).sum()),
        models_after=int(late.sum()),
    )  # fmt: skip


def _checked(pairs: object, date: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The columns as numbers, and which models were released on or after the date."""
    given = as_frame(pairs, "the pairs of scores").reset_index(drop=True)
    if absent := [name for name in COLUMNS if name not in given]:
        raise DataError(f"shift_probe needs one row a model with the columns {listed(COLUMNS)}; {absent} are missing")
    table = given[list(COLUMNS[1:])].apply(pd.to_numeric, errors="coerce").astype(float)
    for name, values in table.items():
        right = values.between(0, 1) if str(name).endswith("score") else np.isfinite(values) & (values >= 1)
        if (bad := given.index[~right]).size:
            rule = "a proportion between 0 and 1" if str(name).endswith("score") else "1 or more"
            held = listed(given.loc[bad, str(name)].tolist())
            raise DataError(f"column {name!r} must be {rule}; rows {list(bad[:5])} hold {held}")
    dates, at = pd.to_datetime(given["date"], errors="coerce"), pd.to_datetime(str(date), errors="coerce")
    if pd.isna(at):
        raise DataError(f"date must be a day such as '2024-06-30', not {date!r}")
    if (bad := given.index[dates.isna()]).size:
        raise DataError(
            f"column 'date' must hold days; rows {list(bad[:5])} hold {listed(given['date'][bad].tolist())}"
        )
    late = (dates >= at).to_numpy()
    if min(late.sum(), (~late).sum()) < FEWEST:
        raise DataError(
            f"{int((~late).sum())} models were released before {date} and {int(late.sum())} on it or later; "
            f"a comparison needs {FEWEST} or more on either side"
        )
    return table, late


def _model(table: pd.DataFrame, late: np.ndarray) -> object:
    """The PyMC model of some pairs of scores."""
    import pymc as pm

    items = {kind: table[f"{kind}_items"].round().to_numpy(int) for kind in ("old", "new")}
    right = {kind: np.rint(table[f"{kind}_score"].to_numpy() * items[kind]).astype(int) for kind in items}
    with pm.Model() as model:
        middle, spread = pm.Normal("ability_mean", 0.0, 1.5), pm.HalfNormal("ability_sd", 1.5)
        ability = pm.Normal("ability", middle, spread, shape=len(table))
        gap, slope = pm.Normal("gap", 0.0, 1.0), pm.LogNormal("slope", 0.0, 0.15)
        shift, own = pm.Normal("shift", 0.0, 1.0), pm.HalfNormal("model_sd", 0.3)
        better = own * pm.Normal("model_score", shape=len(table))
        pm.Binomial("old", items["old"], logit_p=ability + shift * late + better, observed=right["old"])
        fresh = middle + slope * (ability - middle) - gap
        pm.Binomial("new", items["new"], logit_p=fresh, observed=right["new"])
    return model
