"""The command that writes the report: forecasts, answers to further questions, and what they rest on, on one page."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.asked import Asked, opened
from bayes_scaling.cli.options import Strings, planned
from bayes_scaling.errors import DataError, ScalingWarning

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from bayes_scaling.inference.fitting import Fit


@dataclass(frozen=True)
class Questions:
    """What the page answers beside its forecasts."""

    target: float | None
    rank: bool
    gain: float | None
    worth: bool


@click.command()
@click.argument("fit_file", metavar="FIT", type=click.Path(path_type=Path))
@click.option("--flops", multiple=True, help="Compute of the planned runs, such as 1e22.")
@click.option("--params", multiple=True, help="Parameters, such as 7B, with --tokens.")
@click.option("--tokens", multiple=True, help="Tokens, such as 4T.")
@click.option("--plan", type=click.Path(path_type=Path), help="Planned runs (CSV or Parquet), instead of sizes.")
@click.option("--benchmark", multiple=True, help="Default: all that the fit saw.")
@click.option("--mixture", multiple=True, help="Default: all that the fit saw.")
@click.option("--target", type=float, help="Say also what compute this score needs on each benchmark.")
@click.option("--rank", "ranked", is_flag=True, help="Rank the mixtures too, at the compute of the first plan.")
@click.option("--gain", type=float, help="Say what this many times the compute of the first plan buys, such as 10.")
@click.option("--worth", "worth_too", is_flag=True, help="Say how many test items the forecasts are worth.")
@click.option("--title", default="What the planned models will score", help="Title of the page.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The page: .html, or .md for Markdown.")
@click.option("--seed", type=int, help="The same seed gives the same page.")
@click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict.")
@click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved.")
@click.option("--force", is_flag=True, help="Replace files.")
def report(
    fit_file: Path, flops: Strings, params: Strings, tokens: Strings, plan: Path | None, benchmark: Strings,
    mixture: Strings, target: float | None, ranked: bool, gain: float | None, worth_too: bool, title: str, out: Path,
    seed: int | None, even_if_not_converged: bool, even_if_damaged: bool, force: bool,
) -> None:  # fmt: skip
    """Write one page with the answers first, for a reader who knows no statistics."""
    kinds = {".html": "html", ".htm": "html", ".md": "markdown"}
    if out.suffix.lower() not in kinds:
        raise DataError(f"--out must end in .html or .md, not {out.suffix or out.name!r}")
    asked = Asked(fit_file, out, seed, even_if_not_converged, even_if_damaged, force)
    fit = opened(asked, None, {"the plan": plan} if plan else None)
    from bayes_scaling.files.writing import write_whole
    from bayes_scaling.reporting.report import report as page

    table = planned(fit, {"flops": flops, "params": params, "tokens": tokens}, plan, benchmark, mixture)
    questions = Questions(target, ranked, gain, worth_too)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # the page says it
        answers = _answers(fit, table, list(mixture) or None, questions, asked.options())
    text = page(fit, table, answers=answers, title=title, kind=kinds[out.suffix.lower()], **asked.options())
    write_whole(out, text.encode())
    click.echo(f"wrote {out}")


def _answers(
    fit: Fit, plan: pd.DataFrame, mixture: list[str] | None, questions: Questions, options: dict[str, Any]
) -> list[xr.Dataset | pd.DataFrame]:  # fmt: skip
    """What each question that was asked is answered with, in the order of the page."""
    from bayes_scaling.decisions.compute_targets import compute_for
    from bayes_scaling.decisions.gains import elasticity, worth
    from bayes_scaling.decisions.rankings import rank
    from bayes_scaling.forecasting.forecast import forecast

    seen = set(fit.runs["benchmark"])
    tests = [name for name in plan["benchmark"].dropna().unique() if name in seen]
    of_these: dict[str, Any] = {"benchmark": tests, "mixture": mixture, **options}
    found: list[xr.Dataset | pd.DataFrame] = []
    if questions.target is not None:
        found.append(compute_for(fit, questions.target, **of_these))
    if questions.gain is not None:
        found.append(elasticity(fit, _compute_of(plan), factor=questions.gain, **of_these))
    if questions.rank:
        found.append(rank(fit, _compute_of(plan), **of_these))
    if questions.worth:
        found.append(worth(forecast(fit, plan, **options)))
    return found


def _compute_of(plan: pd.DataFrame) -> float:
    """Compute of the first planned run."""
    from bayes_scaling.data.sizes import flops_of

    first = plan.iloc[0]
    given = first.get("flops")
    return float(given) if given == given and given is not None else float(flops_of(first["params"], first["tokens"]))
