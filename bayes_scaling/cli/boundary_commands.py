"""Commands about released models: what they reach at a compute, and which to evaluate next."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayes_scaling.cli.options import NOT_CONVERGED, Strings, refuse_unknown, require_outputs
from bayes_scaling.errors import DataError, ScalingWarning

if TYPE_CHECKING:
    import pandas as pd

    from bayes_scaling.boundaries.fitting import BoundaryFit

FIT = ".nc"
SHOWN = 25  # rows of a plan that are printed


@click.command()
@click.argument("source", metavar="SCORES", type=click.Path(path_type=Path))
@click.option("--flops", multiple=True, default=("1e24",), show_default=True, help="Compute (repeat the option).")
@click.option("--tau", type=click.FloatRange(0, 1, True, True), default=0.98, show_default=True,
              help="Share of models that score below.")  # fmt: skip
@click.option("--tail", type=click.Choice(["normal", "observed"]),
              help="Of the fitted distribution (default for next), or of the fitted models.")  # fmt: skip
@click.option("--period", help="A period, or next; by default the last.")
@click.option("--base", help="A base model; by default a new one.")
@click.option("--benchmark", multiple=True, help="Only these (repeat the option).")
@click.option("--bases", type=click.Path(path_type=Path), help="CSV of more base models: base_model, tokens.")
@click.option("--save", type=click.Path(path_type=Path), help="File for the fit (.nc), to ask again without fitting.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the table.")
@click.option("--plot", type=click.Path(path_type=Path), help="Figure (.png, .pdf, .svg).")
@click.option("--each-period", is_flag=True, help="Draw every period in the figure.")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--chains", type=click.IntRange(1), default=4, show_default=True)
@click.option("--draws", type=click.IntRange(4), default=1000, show_default=True, help="Kept per chain.")
@click.option("--tune", type=click.IntRange(1), default=600, show_default=True, help="Spent per chain.")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace files.")
@click.pass_context
def boundary(
    ctx: click.Context, source: Path, flops: Strings, tau: float, tail: str | None, period: str | None,
    base: str | None, benchmark: Strings, bases: Path | None, save: Path | None, out: Path | None, plot: Path | None,
    each_period: bool, seed: int | None, chains: int, draws: int, tune: int, even_if_not_converged: bool,
    even_if_damaged: bool, force: bool,
) -> None:  # fmt: skip
    """Say what released models reach at a compute budget.

    SCORES is the table of the Open LLM Leaderboard, a table with one row a score (flops, benchmark, score and, where
    known, base_model, organisation, period, n_items, chance), or a fit that --save made.
    """
    inputs = {"the table": source, "--bases": bases}
    require_outputs({"--save": save, "--out": out, "--plot": plot}, inputs, force=force)
    from bayes_scaling.boundaries.fitting import BoundaryFit, fit_boundary
    from bayes_scaling.boundaries.quantiles import boundary as draw
    from bayes_scaling.boundaries.quantiles import summarise_boundary
    from bayes_scaling.reporting.terminal import table_text, wrapped

    if source.suffix == FIT:
        found = BoundaryFit.load(source, even_if_damaged=even_if_damaged)
    else:
        scores = _scores(source, bases, benchmark)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ScalingWarning)  # the verdict is printed below
            found = fit_boundary(scores, seed=seed, chains=chains, draws=draws, tune=tune)
    if save:
        found.save(save, overwrite=force)
    click.echo(wrapped("", repr(found)[1:-1]))
    go_on = even_if_not_converged
    reached = draw(found, list(flops), tau, period=period, base=base, tail=tail, seed=seed, even_if_not_converged=go_on)
    table = summarise_boundary(reached)
    click.echo(table_text(table.round(3).astype({"flops": str})))
    click.echo(wrapped("", f"boundary: the score below which {tau:.3g} of models stay; 90 % intervals"))
    _write(found, table, out, plot, "each" if each_period else period, tau, tail, go_on)
    if save:
        click.echo(f"wrote {save}" + ("" if found.verdict.passed else ", although the fit did NOT CONVERGE"))
    ctx.exit(0 if found.verdict.passed else NOT_CONVERGED)


@click.command("evaluate-next")
@click.argument("candidates", type=click.Path(path_type=Path))
@click.option("--budget", help="What all evaluations may cost, in units of the cost, such as 500B.")
@click.option("--number", type=click.IntRange(1), help="How many models at most.")
@click.option("--cost", default="params", show_default=True, help="Column of costs.")
@click.option("--grid", multiple=True, help="Compute where the boundary is wanted; by default that of the candidates.")
@click.option("--fit", "fit_file", type=click.Path(path_type=Path), help="What --save made of the models so far.")
@click.option("--evaluated", type=click.Path(path_type=Path), help="CSV of models so far, where there is no fit.")
@click.option("--tau", type=click.FloatRange(0, 1, True, True), default=0.98, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the plan.")
@click.option("--seed", type=int, help="The same seed gives the same choice.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace the file.")
def evaluate_next(
    candidates: Path, budget: str | None, number: int | None, cost: str, grid: Strings, fit_file: Path | None,
    evaluated: Path | None, tau: float, out: Path | None, seed: int | None, even_if_damaged: bool, force: bool,
) -> None:  # fmt: skip
    """Choose which released models to evaluate, so that their boundary is as certain as possible for the cost.

    CANDIDATES has one row a model: flops, its cost (by default params) and, where known, base_model.
    """
    inputs = {"the table": candidates, "--fit": fit_file, "--evaluated": evaluated}
    require_outputs({"--out": out}, inputs, force=force)
    from bayes_scaling.boundaries.fitting import BoundaryFit
    from bayes_scaling.boundaries.next_models import evaluate_next as choose
    from bayes_scaling.files.tables import read_table
    from bayes_scaling.reporting.terminal import table_text

    chosen = choose(
        read_table(candidates)[0].reset_index(drop=True),
        budget=budget,
        number=number,
        cost=cost,
        grid=list(grid) or None,
        evaluated=read_table(evaluated)[0] if evaluated else None,
        fit=BoundaryFit.load(fit_file, even_if_damaged=even_if_damaged) if fit_file else None,
        tau=tau,
        seed=seed,
    )
    if chosen.empty:
        raise DataError(f"no candidate costs {budget} or less; raise --budget")
    said = [name for name in ("model", "base_model", "flops", cost, "total_cost", "sd_after") if name in chosen]
    shown = chosen[said].head(SHOWN).assign(sd_after=chosen["sd_after"].round(3))
    click.echo(table_text(shown.astype({name: str for name in said if name in ("flops", cost, "total_cost")})))
    click.echo(f"{len(chosen)} of {len(read_table(candidates)[0])} models, in this order; sd_after: what is then not "
               "known of the boundary [log odds]")  # fmt: skip
    if out:
        from bayes_scaling.files.writing import write_whole

        write_whole(out, chosen.to_csv(index=False).encode())
        click.echo(f"wrote {out}")


def _scores(source: Path, bases: Path | None, benchmark: Strings) -> pd.DataFrame:
    """Scores of released models from a file, of some benchmarks."""
    from bayes_scaling.boundaries.leaderboard import read_leaderboard
    from bayes_scaling.files.tables import read_table

    scores = read_leaderboard(source, bases=None if bases is None else read_table(bases)[0])
    refuse_unknown(benchmark, scores, "benchmark", "the table has")
    return scores[scores["benchmark"].isin(benchmark)] if benchmark else scores


def _write(
    found: BoundaryFit, table: pd.DataFrame, out: Path | None, plot: Path | None, period: str | None, tau: float,
    tail: str | None, go_on: bool,
) -> None:  # fmt: skip
    """Write the table and the figure."""
    from bayes_scaling.files.writing import filled, write_whole

    if out:
        write_whole(out, table.to_csv(index=False).encode())
        click.echo(f"wrote {out}")
    if plot:
        from bayes_scaling.reporting.boundary_figure import plot_boundary

        figure = plot_boundary(found, period=period, tau=tau, tail=tail, seed=found.seed, even_if_not_converged=go_on)
        write_whole(plot, filled(lambda file: figure.savefig(file, format=plot.suffix[1:].lower(), dpi=150)))
        click.echo(f"wrote {plot}")
