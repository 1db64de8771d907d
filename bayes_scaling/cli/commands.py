"""The command ``bayes-scaling``: each verb reads its input, calls one function of this package, and writes the result.

A user's mistake is one message on the error stream and exit status 2; a fit that did not converge exits
with 1.  Everything heavy is imported where it is used, so that ``--help``, ``check`` and ``datasets`` are quick.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.boundary_commands import boundary, evaluate_next
from bayes_scaling.cli.choice_commands import allocate, next_runs, rank, trade, worth
from bayes_scaling.cli.collect_command import collect
from bayes_scaling.cli.decision_commands import compute_for, elasticity
from bayes_scaling.cli.evaluation_commands import backtest, compare
from bayes_scaling.cli.options import (
    MAP,
    NOT_CONVERGED,
    Strings,
    draw_plot,
    only_these,
    planned,
    require_outputs,
    runs_of,
)
from bayes_scaling.cli.report_command import report
from bayes_scaling.errors import DataError, ScalingError, ScalingWarning
from bayes_scaling.reporting.terminal import (
    WIDTH,
    card,
    foot,
    listed_models,
    overview,
    page,
    table_text,
    usable,
    wrapped,
)
from bayes_scaling.version import __version__

if TYPE_CHECKING:
    import pandas as pd

MISTAKE, INTERRUPTED = 2, 130

OPTIONS = {  # arguments of Python, as messages name them -> options
    "even_if_not_converged=True": "--even-if-not-converged",
    "BoundaryFit.load(path, even_if_damaged=True)": "--even-if-damaged",
    "Fit.load(path, even_if_damaged=True)": "--even-if-damaged",
    "overwrite=True": "--force",
}
MAPPING = re.compile(r"columns=(\{[^{}]*\})")


class CommandGroup(click.Group):
    """A group of commands that reports mistakes and warnings in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; turn what the package refuses into a message and an exit status."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", ScalingWarning)
                warnings.showwarning = _show  # type: ignore[assignment]
                return super().invoke(ctx)
        except ScalingError as error:
            return _end(ctx, f"error: {_as_options(str(error))}", MISTAKE)
        except click.UsageError as error:
            return _end(ctx, f"error: {error.format_message()}", MISTAKE)
        except BrokenPipeError:
            raise  # whoever read the output has enough; click ends the command quietly
        except OSError as error:
            return _end(ctx, f"error: {error.filename or 'file'}: {error.strerror or error}", MISTAKE)
        except KeyboardInterrupt:
            return _end(ctx, "interrupted; nothing more was written", INTERRUPTED)


def _as_options(message: str) -> str:
    """Name options of the command where a message names arguments of Python."""
    for argument, option in OPTIONS.items():
        message = message.replace(argument, option)
    return MAPPING.sub(_as_map, message)


def _as_map(found: re.Match[str]) -> str:
    """A mapping of columns as options of the command, quoted for a shell."""
    try:
        pairs = ast.literal_eval(found[1]).items()
    except (ValueError, SyntaxError):  # a name of a column that only looks like the end of the mapping
        return found[0]
    return " ".join(f"--map {shlex.quote(f'{yours}={ours}')}" for yours, ours in pairs)


def _end(ctx: click.Context, message: str, status: int) -> None:
    click.echo(message, err=True)
    ctx.exit(status)


def _show(message: Warning | str, *_: Any) -> None:
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)


def _say(part: str | pd.DataFrame) -> None:
    click.echo(part if isinstance(part, str) else table_text(part))


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.version_option(__version__, prog_name="bayes-scaling")
def main() -> None:
    """Forecast benchmark scores of language models that have not been trained yet.

    Start with `bayes-scaling demo`.
    """


main.add_command(allocate)
main.add_command(backtest)
main.add_command(boundary)
main.add_command(collect)
main.add_command(compare)
main.add_command(compute_for)
main.add_command(elasticity)
main.add_command(evaluate_next)
main.add_command(next_runs)
main.add_command(rank)
main.add_command(report)
main.add_command(trade)
main.add_command(worth)


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("bayes-scaling-demo"), show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--quick", is_flag=True, help="Draw less: a first look in half the time.")
def demo(out: Path, seed: int, quick: bool) -> None:
    """Fit shipped runs, forecast larger ones, compare with what happened."""
    from bayes_scaling.cli.demo import demo as show

    show(out, seed=seed, quick=quick, say=_say)


@main.command()
@click.argument("table")
@MAP
def check(table: str, mapping: Strings) -> None:
    """Validate a table of runs; fit nothing."""
    runs = runs_of(table, mapping)
    click.echo(f"{table}: no mistake found")
    click.echo(overview(runs))
    click.echo("registered models that can use it:")
    click.echo("\n".join(usable(runs)))


@main.command()
@click.argument("table")
@click.argument("model")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File for the fit (.nc).")
@MAP
@click.option("--benchmark", multiple=True, help="Only these (repeat the option).")
@click.option("--mixture", multiple=True, help="Only these (repeat the option).")
@click.option("--seed", type=int, help="The same seed gives the same draws.")
@click.option("--chains", type=click.IntRange(1), default=4, show_default=True)
@click.option("--draws", type=click.IntRange(4), default=1000, show_default=True, help="Kept per chain.")
@click.option("--tune", type=click.IntRange(1), default=500, show_default=True, help="Spent per chain.")
@click.option("--target-accept", type=click.FloatRange(0.5, 1, max_open=True), help="By default what the model says.")
@click.option("--quick", is_flag=True, help="A first look: few draws, one attempt; fit again before deciding.")
@click.option(
    "--max-minutes", type=click.FloatRange(0, min_open=True), help="After these, add no draws to those planned."
)
@click.option("--force", is_flag=True, help="Replace the file.")
@click.pass_context
def fit(
    ctx: click.Context, table: str, model: str, out: Path, mapping: Strings, benchmark: Strings,
    mixture: Strings, seed: int | None, chains: int, draws: int, tune: int, target_accept: float | None, quick: bool,
    max_minutes: float | None, force: bool,
) -> None:  # fmt: skip
    """Fit MODEL to TABLE (a file, or the name of a shipped data set)."""
    require_outputs({"--out": out}, {"the table": Path(table)}, force=force)
    runs = only_these(only_these(runs_of(table, mapping), "benchmark", benchmark), "mixture", mixture)
    from bayes_scaling.inference.fitting import fit as condition
    from bayes_scaling.inference.suitability import doubt
    from bayes_scaling.models.documents import load_model

    law = load_model(model)
    if problem := doubt(law, runs):
        click.echo(f"warning: {problem}", err=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # said above, and the verdict is printed below
        found = condition(
            law, runs, seed=seed, chains=chains, draws=draws, tune=tune, target_accept=target_accept, quick=quick,
            max_minutes=max_minutes,
        )  # fmt: skip
    found.save(out, overwrite=force)
    click.echo(found)
    click.echo(f"wrote {out}" + ("" if found.verdict.passed else ", although the fit did NOT CONVERGE"))
    ctx.exit(0 if found.verdict.passed else NOT_CONVERGED)


@main.command()
@click.argument("fit_file", metavar="FIT", type=click.Path(path_type=Path))
@click.option("--flops", multiple=True, help="Compute of a run, such as 1e22 (repeat the option).")
@click.option("--params", multiple=True, help="Size of a run, such as 7B.")
@click.option("--tokens-per-param", multiple=True, help="Length of the training, with --params or --flops.")
@click.option("--k", multiple=True, help="Samples that count as one try, for pass@k.")
@click.option("--tokens", multiple=True, help="Tokens it sees, such as 4T.")
@click.option("--plan", type=click.Path(path_type=Path), help="CSV of planned runs instead.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--average", is_flag=True, help="Add the average over the benchmarks.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for the table.")
@click.option("--plot", type=click.Path(path_type=Path), help="Figure (.png, .pdf, .svg).")
@click.option("--lock", type=click.Path(path_type=Path), help="Sealed file, to score when the runs are there (.nc).")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace files.")
@click.option("--seed", type=int, help="The same seed gives the same forecast.")
def forecast(
    fit_file: Path, flops: Strings, params: Strings, tokens: Strings, tokens_per_param: Strings, k: Strings,
    plan: Path | None, benchmark: Strings, mixture: Strings, average: bool, out: Path | None, plot: Path | None,
    lock: Path | None, even_if_not_converged: bool, even_if_damaged: bool, force: bool, seed: int | None,
) -> None:  # fmt: skip
    """Say what runs would score that are not made yet."""
    outputs, inputs = {"--out": out, "--plot": plot, "--lock": lock}, {"the fit": fit_file, "--plan": plan}
    require_outputs(outputs, inputs, force=force)
    import pandas as pd

    from bayes_scaling.forecasting import locking
    from bayes_scaling.forecasting.forecast import forecast as draw
    from bayes_scaling.forecasting.summaries import average_benchmarks, summarise
    from bayes_scaling.inference.fitting import Fit

    found = Fit.load(fit_file, even_if_damaged=even_if_damaged)
    sizes = {"flops": flops, "params": params, "tokens": tokens, "tokens_per_param": tokens_per_param, "k": k}
    wanted = planned(found, sizes, plan, benchmark, mixture)
    if (plot or average) and "benchmark" not in wanted:
        raise DataError("--plot and --average are for scores of benchmarks, and this plan names none")
    ahead = draw(found, wanted, seed=seed, even_if_not_converged=even_if_not_converged)
    parts = [ahead, average_benchmarks(ahead)] if average else [ahead]
    table = pd.concat([summarise(part, everything=True) for part in parts], ignore_index=True)
    _say(page(table))
    click.echo(foot(ahead))
    if lock:
        click.echo(f"locked {lock}; publish its seal: {locking.lock(ahead, lock)}")
    if out:
        from bayes_scaling.files.writing import write_whole

        write_whole(out, table.to_csv(index=False).encode())
        click.echo(f"wrote {out}")
    if plot:
        draw_plot(found, wanted, plot, seed)
        click.echo(f"wrote {plot}")


@main.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the registered models, the recommended ones first, or show the card of one."""
    if name is not None:
        from bayes_scaling.models.documents import load_model

        click.echo(card(load_model(name)))
        return
    click.echo("\n".join(listed_models()))
    click.echo(wrapped("boundary  ", "What released models reach at a compute budget; see `bayes-scaling boundary`."))


@main.command()
def datasets() -> None:
    """List the shipped data sets."""
    from bayes_scaling.data.datasets import describe_datasets

    for row in describe_datasets().to_dict("records"):
        click.echo(f"{row['name']}  {row['title']}")
        click.echo(f"    {row['runs']} runs, {row['benchmarks']} benchmarks; licence {row['licence']}")
        click.echo(wrapped("    mixtures: ", row["mixtures"]))
        click.echo(f"    from {row['source']}")
