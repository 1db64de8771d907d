"""What stands over and under a figure of a fit: which law, which data, and whether it can be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from bayes_scaling.data.sizes import size_text
from bayes_scaling.files.frames import DATASET, dataset_of
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.canvas import ALARM, NORMAL, fine_print

NEEDED = ("model", "verdict", "converged", "law_uncertainty", "n_runs", "largest_flops", "track_record")
LETTERS = 12.5  # of a heading for an inch


def heading(figure: Figure, text: str, loud: bool = False) -> None:
    """Write a heading over a figure, above its legend where it has one.

    Parameters
    ----------
    figure : Figure
        With a constrained layout, and its legend already in place.
    text : str
    loud : bool
        In red, where what is drawn cannot be relied on.
    """
    text = fill(text, int(LETTERS * figure.get_figwidth()))
    colour, font = ALARM if loud else "black", FontProperties(size=NORMAL + 0.5, weight="bold")
    if figure.legends:
        figure.legends[0].set_title(text, prop=font)
        figure.legends[0].get_title().set(color=colour, multialignment="center")
    else:
        figure.suptitle(text, fontproperties=font, color=colour)


def name_of_law(fit: Fit | Average) -> str:
    """What a heading calls a fit."""
    return fit.model.name if isinstance(fit, Fit) else f"average of {len(fit.laws)} laws"


def fitted_to(runs: pd.DataFrame) -> str:
    """Say which runs were fitted.

    Examples
    --------
    >>> runs = pd.DataFrame({"run": ["a", "b"], "flops": [1e19, 2.5e20]})
    >>> runs.attrs["dataset"] = "runs.csv"
    >>> fitted_to(runs)
    'fitted to 2 runs of runs.csv, up to 2.5e20 FLOPs'
    """
    number = runs["run"].nunique() if "run" in runs else len(runs)
    return _fitted(number, dataset_of(runs), float(runs["flops"].max()))


def _fitted(number: int, dataset: str, largest: float) -> str:
    of = f" of {dataset}" if dataset else ""
    return f"fitted to {number} run{'s' if number > 1 else ''}{of}, up to {size_text(largest, 2)} FLOPs"


def around_answer(figure: Figure, what: str, attributes: Mapping[str, object]) -> None:
    """Write over and under the figure of a decision what it shows and what it rests on.

    Parameters
    ----------
    figure : Figure
    what : str
        The question that the figure answers.
    attributes : mapping
        Of the answer, as `basis` makes them.  Where they were lost, the figure says so.
    """
    if not set(NEEDED) <= set(attributes):
        heading(figure, what)
        fine_print(
            figure, ["what this answer rests on is not known: its attributes were lost on the way here"], loud=True
        )
        return
    largest = float(str(attributes["largest_flops"]))
    rests_on = _fitted(int(float(str(attributes["n_runs"]))), str(attributes.get(DATASET, "")), largest)
    converged = attributes["converged"] == "True"
    heading(figure, f"{what}: {attributes['model']} {rests_on}", loud=not converged)
    lines = [f"{attributes['model']}: {attributes['verdict']}"] if not converged else [f"{attributes['verdict']}"]
    law = str(attributes["law_uncertainty"]).partition(";")[0]
    fine_print(figure, [*lines, law, f"track record: {attributes['track_record']}"], loud=not converged)
