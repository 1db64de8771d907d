"""What every command that asks something of a saved fit has: its options, and how its answer is printed and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayes_scaling.cli.options import require_outputs
from bayes_scaling.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COMMON = (
    click.argument("fit_file", metavar="FIT", type=click.Path(path_type=Path)),
    click.option("--out", type=click.Path(path_type=Path), help="CSV for the table."),
    click.option("--seed", type=int, help="The same seed gives the same draws."),
    click.option("--even-if-not-converged", is_flag=True, help="Go on from a fit that failed its verdict."),
    click.option("--even-if-damaged", is_flag=True, help="Read a fit whose content is not what was saved."),
    click.option("--force", is_flag=True, help="Replace files."),
)
PLOT = click.option("--plot", type=click.Path(path_type=Path), help="Figure (.png, .pdf, .svg).")


@dataclass(frozen=True)
class Asked:
    """What every question to a fit has: the file, where the table goes, and how to go about it."""

    fit_file: Path
    out: Path | None
    seed: int | None
    even_if_not_converged: bool
    even_if_damaged: bool
    force: bool

    def options(self) -> dict[str, Any]:
        """Of the forecast."""
        return {"seed": self.seed, "even_if_not_converged": self.even_if_not_converged}


def asked_of_a_fit(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument and the options that every question to a fit has, as one argument."""

    @wraps(command)
    def bundled(**given: Any) -> None:
        common = {name: given.pop(name) for name in Asked.__dataclass_fields__}
        command(Asked(**common), **given)

    for option in reversed(COMMON):
        bundled = option(bundled)
    return bundled


def opened(asked: Asked, plot: Path | None, inputs: Mapping[str, Path] | None = None) -> Any:
    """The fit, once all places to write are known to be right."""
    outputs = {"--out": asked.out, "--plot": plot}
    require_outputs(outputs, {"the fit": asked.fit_file, **(inputs or {})}, force=asked.force)
    from bayes_scaling.inference.fitting import Fit

    return Fit.load(asked.fit_file, even_if_damaged=asked.even_if_damaged)


def answer(
    shown: pd.DataFrame, attrs: Mapping[Any, Any], said: str, table: pd.DataFrame, out: Path | None
) -> None:  # fmt: skip
    """Print a table with what it rests on, and write it where that is asked."""
    from bayes_scaling.files.writing import write_whole
    from bayes_scaling.forecasting.law_uncertainty import law_sentence
    from bayes_scaling.forecasting.notes import remarks_of
    from bayes_scaling.reporting.terminal import table_text, wrapped

    if shown.empty:
        raise DataError("nothing to show: no choice lies within the budget")
    click.echo(table_text(shown))
    click.echo(wrapped("", said))
    for remark in remarks_of(attrs.get("note", "")):
        click.echo(wrapped("note: ", remark))
    click.echo(wrapped("", f"{attrs['model']}: {attrs['verdict']}"))
    click.echo(wrapped("", law_sentence(str(attrs["law_uncertainty"]))))
    if "track_record" in attrs:
        click.echo(wrapped("", f"track record: {attrs['track_record']}"))
    if out:
        write_whole(out, table.to_csv(index=False).encode())
        click.echo(f"wrote {out}")


def write_figure(plot: Path | None, figure: Callable[[], Figure]) -> None:
    """Write a figure where that is asked."""
    if plot is None:
        return
    from bayes_scaling.files.writing import filled, write_whole

    drawn = figure()
    write_whole(plot, filled(lambda file: drawn.savefig(file, format=plot.suffix[1:].lower(), dpi=150)))
    click.echo(f"wrote {plot}")


def three_digits(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """A table whose large numbers are shown with three digits."""
    return table.assign(**{name: table[name].map("{:.3g}".format) for name in columns})
