"""The demonstration: fit small shipped runs, forecast the largest ones, and compare with what happened."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.data.sizes import size_text
from bayes_scaling.errors import FileError, ScalingWarning
from bayes_scaling.files.writing import filled, write_whole
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.law_uncertainty import law_sentence
from bayes_scaling.forecasting.summaries import NEW_RUN, average_benchmarks, summarise
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.models.documents import load_model

DATASET, MODEL = "gadre2024", "power_law_discrepancy"
BENCHMARKS = (
    "arc_easy", "arc_challenge", "lambada_openai", "bigbench_qa_wikidata", "hellaswag_zeroshot", "hellaswag",
    "squad", "coqa", "piqa", "winograd", "openbook_qa", "copa",
)  # fmt: skip
LAWLESS = "boolq"  # shown because it fails: small models do not improve on it
RATIO = (19.0, 21.5)  # tokens per parameter
HELD_OUT = 6e9  # runs with more parameters are forecast, not fitted
LARGER = 10.0
FULL = {"chains": 4, "draws": 1500, "tune": 500}
QUICK = {"chains": 2, "draws": 300, "tune": 300, "attempts": 1}
SHARE = 0.8
MARK, FILES = "README.txt", ("fit.nc", "forecast.csv", "forecast.png")
WRITTEN = "Written by `bayes-scaling demo`, which replaces the files listed here when it runs again:\n"


def demo(out: Path, *, seed: int = 1, quick: bool = False, say: Callable[[str | pd.DataFrame], object] = print) -> Fit:
    """Fit the small runs of a shipped data set, forecast the largest, and say how well that went.

    Parameters
    ----------
    out : path
        Folder for ``fit.nc``, ``forecast.csv`` and ``forecast.png``; made if it does not exist.
    seed : int
    quick : bool
        Draw less: a first look, of which the verdict may say that it did not converge.
    say : callable
        Takes what there is to tell, sentence by sentence and table by table.

    Returns
    -------
    Fit

    Raises
    ------
    FileError
        The folder holds files of these names that the demo did not write.
    """
    prepare(out)
    known, later = demo_runs()
    say(
        f"Fitting {MODEL} to {known['run'].nunique()} runs of {DATASET} with up to "
        f"{size_text(known['params'].max(), 2)} parameters, {len(BENCHMARKS) + 1} benchmarks; "
        f"its {later['run'].nunique()} runs with {size_text(later['params'].max(), 2)} are held out ..."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # the verdict is told below
        found = fit(load_model(MODEL), known, seed=seed, **(QUICK if quick else FULL))  # type: ignore[arg-type]
    then = with_average(found, later, seed)
    beyond = with_average(found, _larger(later), seed)
    for part in (*_held_out(then, later), *_larger_still(beyond), _closing(found, then)):
        say(part)
    _write(out, found, then, beyond, later, seed)
    say("Wrote " + ", ".join(str(out / name) for name in FILES))
    return found


def prepare(out: Path) -> None:
    """Make the folder, and refuse one with files of the same names from elsewhere."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise FileError(f"{out} is a file; give a folder: --out another") from None
    of_the_demo = (out / MARK).is_file() and (out / MARK).read_text(encoding="utf-8").startswith(WRITTEN)
    if not of_the_demo and (foreign := [n for n in (*FILES, MARK) if (out / n).exists()]):
        raise FileError(f"{out} holds {', '.join(foreign)} that the demo did not write; choose another folder: --out")


def demo_runs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs that the demo fits, and the largest ones, which it holds out."""
    runs = load_dataset(DATASET)
    chosen = runs["benchmark"].isin([*BENCHMARKS, LAWLESS]) & runs["tokens_per_param"].between(*RATIO)
    runs = runs[chosen].reset_index(drop=True)
    order = {name: at for at, name in enumerate([*BENCHMARKS, LAWLESS])}
    runs = runs.sort_values("benchmark", key=lambda names: names.map(order), kind="stable", ignore_index=True)
    large = runs["params"] > HELD_OUT
    return runs[~large].reset_index(drop=True), runs[large].reset_index(drop=True)


def with_average(found: Fit, plan: pd.DataFrame, seed: int) -> xr.Dataset:
    """Forecast of a plan, with the average over the benchmarks that follow the law below it."""
    ahead = drawn_forecast(found, plan, seed=seed, even_if_not_converged=True)
    lawful = ahead.isel(row=np.flatnonzero(ahead["benchmark"].to_numpy() != LAWLESS))
    both = xr.concat([ahead, average_benchmarks(lawful)], dim="row", coords="minimal", compat="override")
    return both.assign_attrs(ahead.attrs)


def _larger(later: pd.DataFrame) -> pd.DataFrame:
    names = list(dict.fromkeys(later["benchmark"]))
    return plan_runs(flops=LARGER * later["flops"].max(), benchmark=names, mixture=list(later["mixture"].unique()))


def _new_run(ahead: xr.Dataset) -> pd.DataFrame:
    table = summarise(ahead, probabilities=[SHARE], everything=True)
    return table[table["interval_for"] == NEW_RUN].reset_index(drop=True)


def measured(table: pd.DataFrame, later: pd.DataFrame) -> pd.Series:
    """What the held-out runs scored, for every row of a table; for an average, the average of its benchmarks."""
    scores = later.set_index(["benchmark", "mixture"])["score"]
    averages = later[later["benchmark"] != LAWLESS].groupby("mixture")["score"].mean()
    pairs = zip(table["benchmark"], table["mixture"], strict=True)
    return pd.Series([scores.get((b, m), averages[m]) for b, m in pairs], table.index)


def _held_out(ahead: xr.Dataset, later: pd.DataFrame) -> tuple[str, pd.DataFrame, str]:
    table = _new_run(ahead)
    low, high, score = table["lower_80"], table["upper_80"], measured(table, later)
    below, above = score < low, score > high
    verdicts = np.select([below, above], ["below", "above"], "in")
    cells = [f"{a:.3f}–{b:.3f} {m:.3f} {v}" for a, b, m, v in zip(low, high, score, verdicts, strict=True)]
    own = ~table["benchmark"].str.startswith("average")
    head = (
        f"\nHeld out: {size_text(later['params'].max(), 2)} parameters, {later['flops'].max():.2g} FLOPs, "
        f"{float(ahead['decades_beyond'].max()):.1f} decades of compute beyond the data.\n"
        "80 % interval for a new run, the score measured, and whether it lies in, below or above:\n"
    )
    tail = (
        f"\n{(own & ~below & ~above).sum()} of {own.sum()} scores lie in their 80 % interval, {(own & below).sum()} "
        f"below and {(own & above).sum()} above it; about {SHARE * own.sum():.0f} in it would be right."
    )
    return head, _by_mixture(table, cells), tail


def _larger_still(ahead: xr.Dataset) -> tuple[str, pd.DataFrame]:
    table = _new_run(ahead)
    spans = zip(table["mean"], table["lower_80"], table["upper_80"], strict=True)
    head = (
        f"\n{LARGER:g} times larger: {table['flops'].max():.2g} FLOPs, {table['decades_beyond'].max():.1f} decades "
        "beyond the data.\nMean, and 80 % interval for a new run:\n"
    )
    return head, _by_mixture(table, [f"{m:.3f} ({a:.3f}–{b:.3f})" for m, a, b in spans])


def _by_mixture(table: pd.DataFrame, cells: list[str]) -> pd.DataFrame:
    """One line a benchmark, one column a mixture."""
    wide = table.assign(cell=cells).pivot(index="benchmark", columns="mixture", values="cell")
    return wide.loc[list(dict.fromkeys(table["benchmark"]))].reset_index()


def _closing(found: Fit, then: xr.Dataset) -> str:
    notes = dict(zip(then["benchmark"].to_numpy(), then["note"].to_numpy(), strict=True))
    lines = [f"  {b}: {n}" for b, n in notes.items() if n and not b.startswith("average")]
    return "\n".join(
        [
            "",
            *(["Notes, made from the fitted runs alone:", *lines] if lines else []),
            f"{LAWLESS} is here as a warning, and not in the average: models of this size follow no clear law on it.",
            law_sentence(then.attrs["law_uncertainty"]),
            f"Verdict: {found.verdict}",
        ]
    )


def _write(out: Path, found: Fit, then: xr.Dataset, beyond: xr.Dataset, later: pd.DataFrame, seed: int) -> None:
    from bayes_scaling.reporting.law_figure import plot_law

    table = pd.concat([summarise(part, everything=True) for part in (then, beyond)], ignore_index=True)
    happened = table["flops"] == later["flops"].max()
    table["measured"] = measured(table, later).where(happened)
    write_whole(out / MARK, (WRITTEN + "\n".join(FILES) + "\n").encode())
    found.save(out / FILES[0], overwrite=True)
    write_whole(out / FILES[1], table.to_csv(index=False).encode())
    figure = plot_law(found, later=later, seed=seed, even_if_not_converged=True)
    write_whole(out / FILES[2], filled(lambda file: figure.savefig(file, format="png", dpi=150)))
