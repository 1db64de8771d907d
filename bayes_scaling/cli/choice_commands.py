"""Commands that answer which of several choices is best: mixtures, splits of a budget, samples, next runs."""

from __future__ import annotations

from pathlib import Path

import click

from bayes_scaling.cli.asked import PLOT, Asked, answer, asked_of_a_fit, opened, three_digits, write_figure
from bayes_scaling.cli.options import Strings, read_plan


@click.command()
@asked_of_a_fit
@PLOT
@click.option("--flops", required=True, help="Compute of the planned runs, such as 1e22.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--tokens-per-param", type=float, help="By default the median of the runs.")
@click.option("--new-run", is_flag=True, help="Rank single runs, each evaluated once, instead of expectations.")
def rank(
    asked: Asked, flops: str, mixture: Strings, benchmark: Strings, tokens_per_param: float | None, new_run: bool,
    plot: Path | None,
) -> None:  # fmt: skip
    """Rank mixtures at a planned compute, with the probability that each is the best."""
    fit = opened(asked, plot)
    from bayes_scaling.decisions.rankings import rank as ask
    from bayes_scaling.decisions.rankings import summarise_ranking
    from bayes_scaling.reporting.ranking_figure import plot_ranking

    found = ask(
        fit, flops, mixture=list(mixture) or None, benchmark=list(benchmark) or None,
        tokens_per_param=tokens_per_param, new_run=new_run, **asked.options(),
    )  # fmt: skip
    table = summarise_ranking(found)
    last = found.isel(benchmark=-1)
    said = (
        f"on {last['benchmark'].item()}; tied: not told from the first with 95 % probability; smallest difference that "
        f"these data tell: {float(last['detectable']):.3f}"
    )
    answer(table.round(3), found.attrs, said, table, asked.out)
    write_figure(plot, lambda: plot_ranking(found))


@click.command()
@asked_of_a_fit
@click.option("--budget", help="Training and inference together [FLOPs], such as 1e22.")
@click.option("--target", type=float, help="Instead: score, or loss without --benchmark, to be reached.")
@click.option("--benchmark", help="Whose score counts; by default the loss.")
@click.option("--mixture", help="By default the only one that the fit saw.")
@click.option("--inference-tokens", default="0", show_default=True, help="Tokens in use, such as 1T.")
def allocate(
    asked: Asked, budget: str | None, target: float | None, benchmark: str | None, mixture: str | None,
    inference_tokens: str,
) -> None:  # fmt: skip
    """Split a budget between parameters and tokens, or find the cheapest split that reaches a target."""
    fit = opened(asked, None)
    from bayes_scaling.data.sizes import parse_size
    from bayes_scaling.decisions.allocations import allocate as ask
    from bayes_scaling.decisions.allocations import summarise_allocation

    found = ask(
        fit, budget, target=target, benchmark=benchmark, mixture=mixture,
        inference_tokens=parse_size(inference_tokens), **asked.options(),
    )  # fmt: skip
    table = summarise_allocation(found).rename_axis("what").reset_index()
    said = f"missed: how much the recommended split falls short of the best, in {found.attrs['outcome']}"
    answer(three_digits(table, list(table.columns[1:])), found.attrs, said, table, asked.out)


@click.command()
@asked_of_a_fit
@PLOT
@click.option("--target", type=float, required=True, help="pass@k to be reached, such as 0.8.")
@click.option("--queries", required=True, help="Problems that the model will be asked in use, such as 1M.")
@click.option("--tokens-per-sample", required=True, help="Tokens of one answer with its prompt.")
@click.option("--k", multiple=True, type=int, help="Numbers of samples to choose between.")
@click.option("--benchmark", help="By default the only one that the fit saw.")
@click.option("--mixture", help="By default the only one that the fit saw.")
@click.option("--new-run", is_flag=True, help="Ask of one run, evaluated once, instead of the expectation.")
def trade(
    asked: Asked, target: float, queries: str, tokens_per_sample: str, k: tuple[int, ...], benchmark: str | None,
    mixture: str | None, new_run: bool, plot: Path | None,
) -> None:  # fmt: skip
    """Trade longer training against more samples, at equal pass@k."""
    fit = opened(asked, plot)
    from bayes_scaling.decisions.trades import SAMPLES, summarise_trade
    from bayes_scaling.decisions.trades import trade as ask
    from bayes_scaling.reporting.trade_figure import plot_trade

    found = ask(
        fit, target, queries=queries, tokens_per_sample=tokens_per_sample, k=k or SAMPLES, benchmark=benchmark,
        mixture=mixture, new_run=new_run, **asked.options(),
    )  # fmt: skip
    table = summarise_trade(found)
    shown = three_digits(table, ["flops", "cost", "lower_80", "upper_80", "cost_per_solved"])
    said = "flops: training alone; cost: training and sampling; cheapest: probability of costing least"
    answer(shown.round({"cheapest": 2, "tokens_per_param": 1}), found.attrs, said, table, asked.out)
    write_figure(plot, lambda: plot_trade(found))


@click.command("next-runs")
@asked_of_a_fit
@PLOT
@click.argument("candidates", type=click.Path(path_type=Path))
@click.option("--target", type=click.Path(path_type=Path), required=True, help="Plan (CSV) that should become surer.")
@click.option("--number", type=int, help="How many runs at most.")
@click.option("--budget", help="What they may cost together, in units of the cost.")
@click.option("--cost", default="flops", show_default=True, help="Column of costs.")
def next_runs(
    asked: Asked, candidates: Path, target: Path, number: int | None, budget: str | None, cost: str,
    plot: Path | None,
) -> None:  # fmt: skip
    """Choose from CANDIDATES, a plan, the runs that make a forecast surer for the least cost."""
    inputs = {"the candidates": candidates, "the target": target}
    fit = opened(asked, plot, inputs)
    from bayes_scaling.decisions.next_training import next_runs as ask
    from bayes_scaling.reporting.next_runs_figure import plot_next_runs

    table = ask(
        fit, read_plan(candidates), read_plan(target), number=number, budget=budget, cost=cost, **asked.options()
    )
    shown = three_digits(table, ["cost", "total_cost", "sd_before", "sd_after"]).round({"share": 3})
    said = "sd: standard deviation of the target before and after; share: part of its variance that is left"
    answer(shown, table.attrs, said, table, asked.out)
    if len(table):
        write_figure(plot, lambda: plot_next_runs(table))


@click.command()
@asked_of_a_fit
@click.option("--flops", multiple=True, required=True, help="Compute of the planned runs, such as 1e22.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
def worth(
    asked: Asked, flops: Strings, benchmark: Strings, mixture: Strings
) -> None:  # fmt: skip
    """Say how many test items of the planned model would say as much as its forecast."""
    fit = opened(asked, None)
    from bayes_scaling.cli.options import planned
    from bayes_scaling.decisions.gains import worth as ask
    from bayes_scaling.forecasting.forecast import forecast

    ahead = forecast(fit, planned(fit, {"flops": flops}, None, benchmark, mixture), **asked.options())
    table = ask(ahead)
    shown = table[["benchmark", "mixture", "flops", "score", "sd", "items"]].round({"score": 3, "sd": 3})
    shown = shown.assign(items=shown["items"].map("{:,.0f}".format))
    said = "items: size of a test of the planned model that would tell its score as well as the forecast does"
    answer(three_digits(shown, ["flops"]), table.attrs, said, table, asked.out)
