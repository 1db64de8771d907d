"""Reader of the Open LLM Leaderboard: its table of results as published, or in tidy form."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bayes_scaling.boundaries.base_models import TOKENS, base_name, known_base
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, ORGANISATION, PERIOD, released_scores
from bayes_scaling.data.sizes import flops_of, parse_size
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import read_table
from bayes_scaling.messages import listed, listed_names


class Measured(NamedTuple):
    """A benchmark of the leaderboard: its name here, how many items it has, and the score of a guess."""

    name: str
    n_items: int
    chance: float


# Columns of the published table; items and chance: documentation of the leaderboard, for BBH and MuSR over subtasks.
MEASURED = {
    "IFEval Raw": Measured("IFEval", 541, 0.0),
    "BBH Raw": Measured("BBH (macro)", 5761, 0.29173),
    "MATH Lvl 5 Raw": Measured("MATH Lvl 5", 1324, 0.0),
    "GPQA Raw": Measured("GPQA", 1192, 0.25),
    "MUSR Raw": Measured("MuSR (macro)", 756, 0.34444),
    "MMLU-PRO Raw": Measured("MMLU-Pro", 12032, 0.1),
}
MODEL, SIZE, BASE_MODEL, DATE = "Model", "#Params (B)", "Base Model", "Upload To Hub Date"
NEEDED = (MODEL, SIZE, DATE)
HAS_SIZE = re.compile(r"\d[bm]\b")  # in the name of a base model
FLAGS = {"Flagged": "flagged", "MoE": "moe", "Merged": "merged"}


def read_leaderboard(
    source: str | Path | pd.DataFrame, *, bases: pd.DataFrame | None = None, keep_flagged: bool = False
) -> pd.DataFrame:
    """Read the results of the Open LLM Leaderboard as a table for `fit_boundary`.

    The published table has one row a model and no compute.  Compute is 6 N D, with N from its column of parameters and
    D from the tokens that the makers of the base model state (`base_models`).  The column "Base Model" says which that
    is, and where it says nothing that is known, the name of the model itself.  Models of other bases are left out, and
    a warning counts them: give their tokens with ``bases``.  Of a model that was evaluated more than once the last row
    counts.  Periods are quarters of the date of release.

    Parameters
    ----------
    source : path or DataFrame
        Of the published table, or of one in tidy form: one row a score with the columns ``flops``, ``benchmark`` and
        ``score``, and any of ``model``, ``org``, ``base_model``, ``date``, ``period``, ``n_items`` and ``chance``.
    bases : DataFrame, optional
        More base models, or other figures: ``base_model``, the start of their names, and ``tokens`` such as "8T"; where
        given, ``params`` replaces the size that the table states.
    keep_flagged : bool
        Keep models that the leaderboard flagged.

    Returns
    -------
    DataFrame
        One row a score: ``model``, ``organisation``, ``base_model``, ``date``, ``period``, ``params``, ``flops``
        [FLOPs], ``benchmark``, ``score``, ``n_items`` and ``chance``, and what else the tidy form holds.

    Raises
    ------
    DataError
        The table is of neither form, or no model has a known base.

    Warns
    -----
    ScalingWarning
        Models were left out.

    Examples
    --------
    >>> import pandas as pd
    >>> import bayes_scaling as bs
    >>> table = pd.DataFrame(
    ...     {"Model": ["a/one"], "#Params (B)": [7.0], "Base Model": ["meta-llama/Llama-2-7b-hf"],
    ...      "Upload To Hub Date": ["2024-02-03"], "IFEval Raw": [0.4], "GPQA Raw": [0.3]}
    ... )
    >>> bs.read_leaderboard(table)[["base_model", "period", "flops", "benchmark"]].to_numpy().tolist()
    [['llama-2-7b', '2024-Q1', 8.4e+22, 'IFEval'], ['llama-2-7b', '2024-Q1', 8.4e+22, 'GPQA']]
    """
    if isinstance(source, str | Path):
        table, _ = read_table(Path(source), [MODEL, BASE_MODEL])
    else:
        table = as_frame(source, "the leaderboard")
    table = table.reset_index(drop=True)
    if {"flops", BENCHMARK, "score"} <= set(table):
        return _tidy(table, keep_flagged)
    measured = [column for column in MEASURED if column in table]
    if absent := [name for name in NEEDED if name not in table]:
        raise DataError(
            f"neither the leaderboard's table, which has {listed_names(NEEDED)}, nor one with flops, benchmark and "
            f"score: {listed(absent)} are missing; it has {listed([str(name) for name in table])}"
        )
    if not measured:
        raise DataError(f"the leaderboard's table has none of the columns {listed(list(MEASURED), len(MEASURED))}")
    return _long(_models(table, measured, bases, keep_flagged), measured)


def _tidy(table: pd.DataFrame, keep_flagged: bool) -> pd.DataFrame:
    """The tidy form: names of columns, periods, and without what is flagged."""
    table = table.rename(columns={"org": ORGANISATION} if ORGANISATION not in table else {})
    if "date" in table and PERIOD not in table:
        table = table.assign(**{PERIOD: _quarters(table["date"])})
    if "flagged" in table and not keep_flagged:
        table = table[~table["flagged"].map(_is_true)].reset_index(drop=True)
    released_scores(table)
    return table


def _models(table: pd.DataFrame, measured: list[str], bases: pd.DataFrame | None, keep_flagged: bool) -> pd.DataFrame:
    """One row a model, with its compute."""
    if "Flagged" in table and not keep_flagged:
        table = table[~table["Flagged"].map(_is_true)]
    if "Submission Date" in table:
        table = table.sort_values("Submission Date", kind="stable")
    table = table.drop_duplicates(MODEL, keep="last").reset_index(drop=True)
    tokens, params = _known(bases)
    stated = table[BASE_MODEL].fillna("") if BASE_MODEL in table else pd.Series("", table.index)
    names = [[str(base), str(model)] for base, model in zip(stated, table[MODEL], strict=True)]
    found = pd.Series([known_base(one, tokens) for one in names], table.index, dtype=object)
    size = pd.to_numeric(table[SIZE], errors="coerce").astype(float) * 1e9
    size = found.map(params).astype(float).fillna(size)
    dated = pd.to_datetime(table[DATE], errors="coerce").notna()
    usable = found.notna() & (size > 0) & dated
    if (lost := int((~usable).sum())) and usable.any():
        shown = table.loc[found.isna(), BASE_MODEL if BASE_MODEL in table else MODEL].astype(str).value_counts().index
        warnings.warn(
            f"{lost} of {len(table)} models are left out, {int(found.isna().sum())} of them because it is not known "
            f"how many tokens their base has seen, such as {listed_names(shown)}; give these with bases",
            ScalingWarning,
            stacklevel=4,
        )
    if not usable.any():
        raise DataError(
            "no model has a base whose tokens are known, a size and a date; give the tokens of base models with bases, "
            'such as pd.DataFrame({"base_model": ["my-base"], "tokens": ["2T"]})'
        )
    rounded = (size / 1e9).round(1).map("{:g}b".format)
    named = zip(found[usable], rounded[usable], strict=True)
    sized = [start if HAS_SIZE.search(start) else f"{start}-{number}" for start, number in named]
    owner = table[MODEL].astype(str).str.partition("/")[0]
    own = {"model": table[MODEL].astype(str), ORGANISATION: owner, "date": table[DATE]}
    own |= {PERIOD: _quarters(table[DATE]), "params": size, "flops": flops_of(size, found.map(tokens).astype(float))}
    own |= {new: table[old] for old, new in FLAGS.items() if old in table}
    return pd.concat([pd.DataFrame(own), table[measured]], axis=1)[usable].assign(**{BASE: sized})


def _long(models: pd.DataFrame, measured: list[str]) -> pd.DataFrame:
    """One row a score."""
    ids = [column for column in models if column not in measured]
    long = models.melt(ids, measured, BENCHMARK, "score").dropna(subset="score")
    of_benchmark = long[BENCHMARK].map(MEASURED)
    long = long.assign(
        **{BENCHMARK: of_benchmark.map(lambda one: one.name)},
        n_items=of_benchmark.map(lambda one: one.n_items),
        chance=of_benchmark.map(lambda one: one.chance),
        score=pd.to_numeric(long["score"], errors="coerce"),
    )
    long = long.reset_index(drop=True)
    released_scores(long)
    return long


def _known(bases: pd.DataFrame | None) -> tuple[dict[str, float], dict[str, float]]:
    """Tokens and, where they were given, parameters by the start of a name."""
    tokens = {start: trillions * 1e12 for start, (trillions, _) in TOKENS.items()}
    if bases is None:
        return tokens, {}
    given = as_frame(bases, "bases", example='such as pd.DataFrame({"base_model": ["my-base"], "tokens": ["2T"]})')
    if absent := [name for name in (BASE, "tokens") if name not in given]:
        raise DataError(f"bases needs the columns 'base_model' and 'tokens'; {absent} are missing")
    starts = [base_name(str(name)) for name in given[BASE]]
    tokens |= dict(zip(starts, map(parse_size, given["tokens"]), strict=True))
    params = dict(zip(starts, map(parse_size, given["params"]), strict=True)) if "params" in given else {}
    if bad := [name for name, value in (*tokens.items(), *params.items()) if not 0 < value < float("inf")]:
        raise DataError(f"bases: tokens and params of {listed(bad)} must be positive and finite")
    return tokens, params


def _quarters(dates: pd.Series) -> pd.Series:
    """Quarters such as "2024-Q3"; missing where there is no date."""
    parsed = pd.to_datetime(dates, errors="coerce")
    return parsed.dt.year.astype("Int64").astype(str) + "-Q" + parsed.dt.quarter.astype("Int64").astype(str)


def _is_true(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes"}
