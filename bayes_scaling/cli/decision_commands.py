"""Commands that answer what planners ask of a fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayes_scaling.cli.options import Strings, require_outputs
from bayes_scaling.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@click.command("compute-for")
@click.argument("fit_file", metavar="FIT", type=click.Path(path_type=Path))
@click.option("--target", multiple=True, required=True, metavar="[BENCHMARK=]SCORE", help="Such as 0.7 or piqa=0.8.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw, or that have a target.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--average", is_flag=True, help="Ask of the average over the benchmarks.")
@click.option("--tokens-per-param", type=float, help="By default the median of the runs.")
@click.option("--new-run", is_flag=True, help="Ask of one run, evaluated once, instead of the expectation.")
@click.option("--reach", type=float, default=4.0, show_default=True, help="Decades beyond the largest run.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the table.")
@click.option("--plot", type=click.Path(path_type=Path), help="Figure (.png, .pdf, .svg).")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace files.")
def compute_for(
    fit_file: Path, target: Strings, benchmark: Strings, mixture: Strings, average: bool,
    tokens_per_param: float | None, new_run: bool, reach: float, out: Path | None, plot: Path | None, seed: int | None,
    even_if_not_converged: bool, even_if_damaged: bool, force: bool,
) -> None:  # fmt: skip
    """Say what compute a score needs, and how likely no compute within reach is enough."""
    require_outputs({"--out": out, "--plot": plot}, {"the fit": fit_file}, force=force)
    from bayes_scaling.decisions.compute_targets import compute_for as ask
    from bayes_scaling.decisions.compute_targets import summarise_compute
    from bayes_scaling.files.writing import filled, write_whole
    from bayes_scaling.forecasting.law_uncertainty import law_sentence
    from bayes_scaling.inference.fitting import Fit
    from bayes_scaling.reporting.terminal import table_text, wrapped

    wanted, tests = _targets(target)
    found = ask(
        Fit.load(fit_file, even_if_damaged=even_if_damaged),
        wanted,
        benchmark=list(benchmark) or tests,
        mixture=list(mixture) or None,
        average=average,
        tokens_per_param=tokens_per_param,
        new_run=new_run,
        reach=reach,
        seed=seed,
        even_if_not_converged=even_if_not_converged,
    )
    table = summarise_compute(found)
    click.echo(table_text(_short(table)))
    click.echo(wrapped("", f"enough_90: compute that suffices with 90 % probability, of {found.attrs['asked_of']}; "
                           f"never: not within {reach:g} decades of the largest run"))  # fmt: skip
    click.echo(wrapped("", f"{found.attrs['model']}: {found.attrs['verdict']}"))
    click.echo(wrapped("", law_sentence(found.attrs["law_uncertainty"])))
    if out:
        write_whole(out, table.to_csv(index=False).encode())
        click.echo(f"wrote {out}")
    if plot:
        from bayes_scaling.reporting.compute_for_figure import plot_compute_for

        figure = plot_compute_for(found)
        write_whole(plot, filled(lambda file: figure.savefig(file, format=plot.suffix[1:].lower(), dpi=150)))
        click.echo(f"wrote {plot}")


@click.command()
@click.argument("fit_file", metavar="FIT", type=click.Path(path_type=Path))
@click.option("--flops", required=True, help="Where to start, such as 1e22.")
@click.option("--factor", type=float, default=10.0, show_default=True, help="How many times as much.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--tokens-per-param", type=float, help="By default the median of the runs.")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
def elasticity(
    fit_file: Path, flops: str, factor: float, benchmark: Strings, mixture: Strings, tokens_per_param: float | None,
    seed: int | None, even_if_not_converged: bool, even_if_damaged: bool,
) -> None:  # fmt: skip
    """Say what ten times the compute buys, benchmark by benchmark."""
    from bayes_scaling.decisions.gains import elasticity as ask
    from bayes_scaling.forecasting.law_uncertainty import law_sentence
    from bayes_scaling.inference.fitting import Fit
    from bayes_scaling.reporting.terminal import table_text, wrapped

    table = ask(
        Fit.load(fit_file, even_if_damaged=even_if_damaged),
        flops,
        factor=factor,
        benchmark=list(benchmark) or None,
        mixture=list(mixture) or None,
        tokens_per_param=tokens_per_param,
        seed=seed,
        even_if_not_converged=even_if_not_converged,
    )
    click.echo(table_text(table.round(3)))
    click.echo(wrapped("", f"{table.attrs['model']}: {table.attrs['verdict']}"))
    click.echo(wrapped("", law_sentence(table.attrs["law_uncertainty"])))


def _targets(given: Strings) -> tuple[float | dict[str, float], list[str] | None]:
    """One target for all benchmarks, or one each, and the benchmarks that have one."""
    each: dict[str, float] = {}
    for text in given:
        name, named, value = text.rpartition("=")
        try:
            score = float(value)
        except ValueError:
            raise DataError(f"--target needs a score, or BENCHMARK=SCORE, such as piqa=0.8, not {text!r}") from None
        if not named and len(given) > 1:
            raise DataError("several targets need their benchmarks: --target piqa=0.8 --target hellaswag=0.7")
        if not named:
            return score, None
        each[name] = score
    return each, list(each)


def _short(table: pd.DataFrame) -> pd.DataFrame:
    """The table with compute in three digits, and without columns that say nothing."""
    shown = table.drop(columns=[name for name in ("mixture", "note") if table[name].isin(["", "unspecified"]).all()])
    compute = [str(name) for name in shown if str(name).startswith(("lower", "upper", "enough"))]
    shown = shown.assign(**{name: shown[name].map("{:.2e}".format) for name in compute})
    return shown.round({"target": 3, "never": 2, "decades_beyond": 2})
