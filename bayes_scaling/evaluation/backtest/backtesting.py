"""Backtests: forecasts that could have been made from the smaller runs, beside what the larger ones reached."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import items_of, name_of
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.backtest.shards import Shard, shard_of
from bayes_scaling.evaluation.baselines.estimators import BASELINES
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.evaluation.refits.task import found_in
from bayes_scaling.evaluation.row_masks import Split, check_splits
from bayes_scaling.evaluation.scores import score_forecast, summarise_scores
from bayes_scaling.evaluation.splits import split_above
from bayes_scaling.files.frames import as_frame
from bayes_scaling.inference.settings import Settings, checked_seed
from bayes_scaling.messages import html_table, listed_names
from bayes_scaling.models.documents import as_model
from bayes_scaling.models.model import Model
from bayes_scaling.models.responses.all_responses import RESPONSES

SHOWN = ("mae", "crps", "cover_50", "cover_80", "cover_95", "width_80")
OF_FITS = ("chains", "draws", "tune", "thin", "target_accept", "attempts")  # settings that a shard passes on
PUBLISHED = " (published)"  # tells an estimator from a model of the same name
LINES = 20  # names that the text of a backtest lists


@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """Forecasts of runs that the fits did not see, with what happened.

    Attributes
    ----------
    runs : DataFrame
    splits : tuple of Split
    response : str
    shards : DataFrame
        One row per law and split: ``law``, ``split``, ``runs_fitted``, ``runs_forecast``, ``rows_forecast``,
        ``decades_beyond`` (of the farthest row), ``seconds``, ``converged``, ``verdict``, ``problem`` (why there is no
        forecast), of fits ``r_hat``, ``ess``, ``divergences`` and ``steps_per_draw``, and the ``traceback`` of errors
        that are no refusals.
    scores : DataFrame
        One row per law, split and forecast row: ``law``, ``split``, ``converged``, the columns of `score_forecast`,
        and ``log_density`` that the law gave to the outcome [nats per unit of the response].
    forecasts : mapping
        (law, split) -> forecast, a Dataset over (chain, draw, row).
    """

    runs: pd.DataFrame
    splits: tuple[Split, ...]
    response: str
    shards: pd.DataFrame
    scores: pd.DataFrame
    forecasts: Mapping[tuple[str, str], xr.Dataset]

    def summary(self, by: str | Sequence[str] = "law") -> pd.DataFrame:
        """Scores in groups, one row each: `summarise_scores` without its intervals, as a wide table."""
        groups = [by] if isinstance(by, str) else list(by)
        table = summarise_scores(self.scores, by=groups, resamples=0)
        names = list(dict.fromkeys(table["score"]))
        first = table[table["score"] == names[0]][[*groups, "runs", "rows"]].reset_index(drop=True)
        values = table["value"].to_numpy().reshape(len(first), len(names))
        return first.join(pd.DataFrame(values, columns=names))

    def _repr_html_(self) -> str:
        facts = {"laws": ", ".join(dict.fromkeys(self.shards["law"])), "splits": str(len(self.splits))}
        if failures := self._failures():
            facts["not converged, or no forecast"] = "; ".join(failures)
        table = html_table("Backtest", facts)
        if len(self.scores):
            table += str(self.summary()[["law", "runs", "rows", *SHOWN]].round(4).to_html(index=False))
        return table

    def _failures(self) -> list[str]:
        """Which fits failed their verdict or gave no forecast, and why."""
        failed = self.shards[~self.shards["converged"].astype(bool)]
        texts = zip(failed["law"], failed["split"], failed["problem"], failed["verdict"], strict=True)
        lines = [f"{law}, {split}: {_first(problem) or verdict}" for law, split, problem, verdict in texts]
        if len(lines) > LINES:
            lines[LINES:] = [f"… and {len(lines) - LINES} more, see `shards`"]
        return lines

    def __repr__(self) -> str:
        lines = [f"<Backtest of {self.shards['law'].nunique()} laws on {len(self.splits)} splits"]
        if len(self.scores):
            table = self.summary()[["law", "runs", "rows", *SHOWN]]
            lines.append(table.round(4).to_string(index=False))
        lines += self._failures()
        return "\n".join(lines) + ">"


def backtest(
    models: Model | str | Path | Sequence[Model | str | Path],
    runs: pd.DataFrame,
    splits: Sequence[Split] | Split | None = None,
    *,
    baselines: Sequence[str] | str = (),
    response: str = "accuracy",
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 500,
    thin: int | None = None,
    target_accept: float | None = None,
    attempts: int = 2,
    resamples: int = 200,
    folder: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> Backtest:
    """See how well laws would have forecast runs that are known, from smaller or other runs.

    Every law is fitted to every split by itself, one thread each, in parallel over joblib: inside
    ``joblib.parallel_config(backend="dask")`` or another backend, the same call runs on a cluster.  Results do not
    depend on the backend.

    Parameters
    ----------
    models : Model, or the name or path of one, or a sequence of these
        With names of their own.
    runs : DataFrame
        As from `read_runs`.
    splits : sequence of Split, optional
        From `split_above`, `split_targets` and `split_groups`, which add up; by default two cuts in compute.
    baselines : sequence of str
        Published estimators to judge beside the models, of ``BASELINES``; one that has the name of a model is called
        "name (published)".
    response : str
        What is forecast: "accuracy", "loss" or "pass_at_k".
    seed : int, optional
        The same seed gives the same result.
    chains, draws, tune, thin, target_accept, attempts
        Of every fit, as for `fit`.
    resamples : int
        Bootstrap draws of every baseline.
    folder : path, optional
        Where every shard is kept as soon as it is done: when the process is killed, or one shard fails, the same call
        goes on with the others.  A shard is known by its data, model and settings: calls for some of the splits can
        share a folder, and shards of other calls are left alone.
    n_jobs : int, optional
        Fits at the same time, -1 for as many as there are processors; by default what ``joblib.parallel_config`` says,
        or -1.  A cluster of dask takes as many as it has threads.
    progress : bool, optional
        Show a progress bar; by default only where the error stream is a terminal.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        Splits or names that cannot be, laws that do not forecast the response, no outcome to score, or no shard gave a
        forecast; the text says why.

    Warns
    -----
    ScalingWarning
        Fits failed their verdict; their scores stay in the result, marked.  Shards gave no forecast, because the law
        refused the runs or an error was raised: which, and why.  They are not kept, so the same call tries again.

    Examples
    --------
    Published estimators alone, which are fast; models stand first, as in ``bs.backtest(model, runs)``.

    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> runs = runs[runs["benchmark"] == "hellaswag"]
    >>> past = bs.backtest([], runs, bs.split_above(runs, cuts="1e20"), baselines="direct", seed=1, progress=False)
    >>> past.summary()[["law", "runs", "rows"]].values.tolist()
    [['direct', 17, 17]]
    """
    settings, seed = Settings(chains, draws, tune, thin, target_accept, attempts), checked_seed(seed)
    given: list[object] = items_of("models", models, (Model, str, Path), "'power_law'")
    laws = _named([as_model(model) for model in given], baselines, response)
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one").reset_index(drop=True)
    asked = items_of("splits", split_above(runs) if splits is None else splits, Split, "bs.split_above(runs)")
    engine = Engine.of(folder, n_jobs, progress)
    past = forecasts_of_the_past(
        laws, runs, asked, response, engine, seed=seed, settings=settings, resamples=resamples, what="backtest"
    )
    warn_of_shards(past)
    return past


def forecasts_of_the_past(
    laws: Mapping[str, Model | str],
    runs: pd.DataFrame,
    splits: Sequence[Split],
    response: str,
    engine: Engine,
    *,
    seed: int | None,
    settings: Settings,
    resamples: int = 0,
    what: str,
) -> Backtest:
    """Fit every law to every split and score its forecasts: what `backtest`, `average` and `compare` rest on.

    Parameters
    ----------
    laws : mapping
        Name -> model or name of a published estimator.
    runs, splits, response, seed, settings, resamples
        As for `backtest`.
    engine : Engine
    what : str
        What the fits are made for, beside the progress bar.
    """
    check_splits(splits, runs)
    chosen = [replace(s, held_out=s.held_out & RESPONSES[response].outcomes(runs)) for s in splits]
    check_splits(chosen, runs)
    of_fits = {name: getattr(settings, name) for name in OF_FITS}
    todo = [
        shard_of(name, law, split, runs, response, seed, {"resamples": resamples} if isinstance(law, str) else of_fits)
        for split in chosen
        for name, law in laws.items()
    ]
    return _gathered(runs, tuple(chosen), response, todo, engine.run(todo, what))


def _named(models: list[Model], baselines: Sequence[str] | str, response: str) -> dict[str, Model | str]:
    """Models and published estimators under names of their own, all of which forecast the response."""
    name_of("response", response, RESPONSES)
    published = items_of("baselines", baselines, str, "'direct'")
    if unknown := [b for b in published if b not in BASELINES]:
        raise DataError(f"baselines must be of {', '.join(BASELINES)}; got {unknown}")
    own = [m.name for m in models]
    names = [*own, *(f"{b}{PUBLISHED}" if b in own else b for b in published)]
    if not names or len(set(names)) < len(names):
        raise DataError(f"a backtest needs laws with names of their own, got {names}")
    other = [m.name for m in models if response not in [part.name for part in m.responses]]
    if other := [*other, *(b for b in published if BASELINES[b].response != response)]:
        raise DataError(f"{', '.join(other)} cannot forecast {response}")
    return dict(zip(names, [*models, *published], strict=True))


def _gathered(
    runs: pd.DataFrame, splits: tuple[Split, ...], response: str, todo: list[Shard], results: list[xr.Dataset]
) -> Backtest:
    shards, scores, forecasts = [], [], {}
    for shard, result in zip(todo, results, strict=True):
        found = found_in(result)
        names = {"law": shard.law, "split": shard.split}
        shards.append(names | _sizes(shard, result) | found)
        if not found["problem"]:
            forecasts[shard.law, shard.split] = result.drop_vars("log_density", errors="ignore")
            own = score_forecast(result, shard.later, response=response)
            own = own.assign(converged=found["converged"], log_density=_densities(result, len(own)), **names)
            scores.append(own)
    if not scores:
        raise DataError(f"no forecast could be made: {shards[0]['law']}, {shards[0]['split']}: {shards[0]['problem']}")
    table = pd.concat(scores, ignore_index=True)
    first = ["law", "split", "converged"]
    table = table[[*first, *(c for c in table if c not in first)]]
    return Backtest(runs, splits, response, pd.DataFrame(shards), table, forecasts)


def _sizes(shard: Shard, result: xr.Dataset) -> dict[str, Any]:
    return {
        "runs_fitted": shard.known["run"].nunique(),
        "runs_forecast": shard.later["run"].nunique(),
        "rows_forecast": len(shard.later),
        "decades_beyond": float(result["decades_beyond"].max()) if "decades_beyond" in result.coords else np.nan,
    }


def _densities(result: xr.Dataset, rows: int) -> np.ndarray:
    return result["log_density"].to_numpy() if "log_density" in result else np.full(rows, np.nan)


def warn_of_shards(past: Backtest, what: str = "backtest") -> None:
    """Name the fits whose scores rest on draws that did not converge, and the shards that gave none."""
    refused = past.shards[past.shards["problem"] != ""]
    doubtful = past.shards[(past.shards["problem"] == "") & ~past.shards["converged"].astype(bool)]
    of = f"of {len(past.shards)} shards of the {what}"
    if len(doubtful):
        texts = listed_names(
            [f"{law} ({split})" for law, split in zip(doubtful["law"], doubtful["split"], strict=True)]
        )
        text = f"{len(doubtful)} {of} did not converge: {texts}; `converged` marks their scores, `shards` says why"
        warnings.warn(text, ScalingWarning, stacklevel=3)
    if len(refused):
        rows = zip(refused["law"], refused["split"], refused["problem"], strict=True)
        texts = listed_names([f"{law} ({split}): {_first(problem)}" for law, split, problem in rows])
        warnings.warn(f"{len(refused)} {of} gave no forecast: {texts}", ScalingWarning, stacklevel=3)


def _first(text: str) -> str:
    return text.partition("\n")[0]
