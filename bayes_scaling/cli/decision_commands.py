"""Commands that answer what planners ask of a fit: what a target costs, and what more compute buys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bayes_scaling.cli.asked import PLOT, Asked, answer, asked_of_a_fit, opened, write_figure
from bayes_scaling.cli.options import Strings
from bayes_scaling.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@click.command("compute-for")
@asked_of_a_fit
@PLOT
@click.option("--target", multiple=True, required=True, metavar="[BENCHMARK=]SCORE", help="Such as 0.7 or piqa=0.8.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw, or that have a target.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--average", is_flag=True, help="Ask of the average over the benchmarks.")
@click.option("--tokens-per-param", type=float, help="By default the median of the runs.")
@click.option("--new-run", is_flag=True, help="Ask of one run, evaluated once, instead of the expectation.")
@click.option("--reach", type=float, default=4.0, show_default=True, help="Decades beyond the largest run.")
def compute_for(
    asked: Asked, target: Strings, benchmark: Strings, mixture: Strings, average: bool,
    tokens_per_param: float | None, new_run: bool, reach: float, plot: Path | None,
) -> None:  # fmt: skip
    """Say what compute a score needs, and how likely no compute within reach is enough."""
    fit = opened(asked, plot)
    from bayes_scaling.decisions.compute_targets import compute_for as ask
    from bayes_scaling.decisions.compute_targets import summarise_compute
    from bayes_scaling.reporting.compute_for_figure import plot_compute_for

    wanted, tests = _targets(target)
    found = ask(
        fit, wanted, benchmark=list(benchmark) or tests, mixture=list(mixture) or None, average=average,
        tokens_per_param=tokens_per_param, new_run=new_run, reach=reach, **asked.options(),
    )  # fmt: skip
    table = summarise_compute(found)
    said = (
        f"enough_90: compute that suffices with 90 % probability, of {found.attrs['asked_of']}; never: not within "
        f"{reach:g} decades of the largest run"
    )
    answer(_short(table), found.attrs, said, table, asked.out)
    write_figure(plot, lambda: plot_compute_for(found))


@click.command()
@asked_of_a_fit
@click.option("--flops", required=True, help="Where to start, such as 1e22.")
@click.option("--factor", type=float, default=10.0, show_default=True, help="How many times as much.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--tokens-per-param", type=float, help="By default the median of the runs.")
@click.option("--new-run", is_flag=True, help="Ask of single runs, each evaluated once, instead of expectations.")
def elasticity(
    asked: Asked, flops: str, factor: float, benchmark: Strings, mixture: Strings, tokens_per_param: float | None,
    new_run: bool,
) -> None:  # fmt: skip
    """Say what ten times the compute buys, benchmark by benchmark."""
    fit = opened(asked, None)
    from bayes_scaling.decisions.gains import elasticity as ask

    table = ask(
        fit, flops, factor=factor, benchmark=list(benchmark) or None, mixture=list(mixture) or None,
        tokens_per_param=tokens_per_param, new_run=new_run, **asked.options(),
    )  # fmt: skip
    said = f"gain: what {factor:g} times the compute buys; rises: probability of any gain"
    answer(_three_places(table), table.attrs, said, table, asked.out)


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
    """The table with compute in three digits, without columns that say nothing and without notes, which stand below."""
    shown = table.drop(columns=["note", *(["mixture"] if table["mixture"].eq("unspecified").all() else [])])
    compute = [str(name) for name in shown if str(name).startswith(("lower", "upper", "enough"))]
    shown = shown.assign(**{name: shown[name].map("{:.2e}".format) for name in compute})
    return shown.round({"target": 3, "never": 2, "decades_beyond": 2})


def _three_places(table: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers of three places, of which none is minus zero."""
    numbers = table.select_dtypes("number").columns
    return table.assign(**{str(name): table[name].map("{:z.3f}".format) for name in numbers})
