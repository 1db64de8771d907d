"""Commands that ask how good forecasts are: backtests of laws, and comparisons of fits."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayes_scaling.cli.options import MAP, NOT_CONVERGED, Strings, only_these, require_outputs, runs_of
from bayes_scaling.errors import DataError, ScalingWarning

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("table")
@click.argument("models", nargs=-1)
@MAP
@click.option("--above", multiple=True, help="Fit up to this compute and forecast beyond it, such as 6e20 (repeat).")
@click.option("--along", default="flops", show_default=True, help="Column along which to cut.")
@click.option("--baseline", multiple=True, help="A published estimator beside the models, such as direct.")
@click.option("--benchmark", multiple=True, help="Only these (repeat the option).")
@click.option("--mixture", multiple=True, help="Only these (repeat the option).")
@click.option("--draws", type=click.IntRange(4), default=1000, show_default=True, help="Kept per chain.")
@click.option("--attempts", type=click.IntRange(1), default=2, show_default=True, help="To converge.")
@click.option("--jobs", type=click.IntRange(1), help="Fits at a time.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps finished fits, so that a later call goes on.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the scores of every forecast.")
@click.option("--plot", type=click.Path(path_type=Path), help="Figure of calibration (.png, .pdf, .svg).")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--force", is_flag=True, help="Replace files.")
@click.pass_context
def backtest(
    ctx: click.Context, table: str, models: Strings, mapping: Strings, above: Strings, along: str, baseline: Strings,
    benchmark: Strings, mixture: Strings, draws: int, attempts: int, jobs: int | None, folder: Path | None,
    out: Path | None, plot: Path | None, seed: int | None, force: bool,
) -> None:  # fmt: skip
    """See how well MODELS would have forecast the larger runs of TABLE from the smaller ones."""
    require_outputs({"--out": out, "--plot": plot}, {"the table": Path(table)}, force=force)
    if not models and not baseline:
        raise DataError("name a model or --baseline; `bayes-scaling models` lists the models")
    runs = only_these(only_these(runs_of(table, mapping), "benchmark", benchmark), "mixture", mixture)
    from bayes_scaling.evaluation.backtest.backtesting import backtest as test
    from bayes_scaling.evaluation.splits import split_above
    from bayes_scaling.files.writing import filled, write_whole
    from bayes_scaling.reporting.calibration_figure import plot_calibration

    splits = split_above(runs, along, list(above) or None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # the table names fits that failed
        past = test(
            list(models), runs, splits, baselines=list(baseline), draws=draws, attempts=attempts, n_jobs=jobs,
            folder=folder, seed=seed,
        )  # fmt: skip
    click.echo(past)
    if out:
        write_whole(out, past.scores.to_csv(index=False).encode())
        click.echo(f"wrote {out}")
    if plot:
        figure = plot_calibration(past)
        write_whole(plot, filled(lambda file: figure.savefig(file, format=plot.suffix[1:].lower(), dpi=150)))
        click.echo(f"wrote {plot}")
    ctx.exit(0 if past.scores["converged"].all() else NOT_CONVERGED)


@click.command()
@click.argument("fit_files", metavar="FIT FIT…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--draws", type=click.IntRange(4), default=1000, show_default=True, help="Kept per chain of a refit.")
@click.option("--attempts", type=click.IntRange(1), default=2, show_default=True, help="To converge.")
@click.option("--jobs", type=click.IntRange(1), help="Fits at a time.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps finished fits, so that a later call goes on.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the table.")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from fits that failed their verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read fits whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace files.")
def compare(
    fit_files: tuple[Path, ...], draws: int, attempts: int, jobs: int | None, folder: Path | None, out: Path | None,
    seed: int | None, even_if_not_converged: bool, even_if_damaged: bool, force: bool,
) -> None:  # fmt: skip
    """Compare laws, fitted to the same runs, by what they say of scores and runs that they did not see."""
    require_outputs({"--out": out}, {f"fit {i + 1}": path for i, path in enumerate(fit_files)}, force=force)
    from bayes_scaling.evaluation.comparing import compare as against
    from bayes_scaling.files.writing import write_whole
    from bayes_scaling.inference.fitting import Fit

    fits = [Fit.load(path, even_if_damaged=even_if_damaged) for path in fit_files]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # what is printed says it
        found = against(
            fits, draws=draws, attempts=attempts, n_jobs=jobs, folder=folder, seed=seed,
            even_if_not_converged=even_if_not_converged,
        )  # fmt: skip
    click.echo(found)
    if out:
        table: pd.DataFrame = found.table
        write_whole(out, table.to_csv(index=False).encode())
        click.echo(f"wrote {out}")
