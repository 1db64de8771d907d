"""The sheet that every figure is drawn on: panels, fonts, and the verdict under it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.verdict import Verdict

GREY, BEYOND, ALARM = "0.35", "0.945", "#B00020"


EXPECTATION, NEW_RUN = "expectation: what many such runs would average", "new run: one of them, evaluated once"
SMALL, NORMAL = 7.5, 8.5  # font sizes [points]


class InlineFigure(Figure):
    """A figure that notebooks show by itself, whether or not pyplot was ever imported."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def canvas(
    number: int, columns: int, response_label: str, size: tuple[float, float] = (3.0, 2.15)
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a number of panels, so many side by side, and label its outer axes."""
    rows = -(-number // columns)
    width, height = size if number > 1 else (6.6, 3.6)
    figure = InlineFigure(figsize=(max(columns * width, 6.6) + 0.3, rows * height + 1.35), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in grid[number:]:
        spare.remove()
    for at, panel in enumerate(grid[:number]):
        panel.set_ylabel("" if at % columns else response_label, fontsize=NORMAL)
        panel.set_xlabel("" if at + columns < number else "training compute [FLOPs]", fontsize=NORMAL)
    return figure, list(grid[:number])


def footer(figure: Figure, verdicts: Sequence[tuple[str, Verdict]], extra: str = "") -> None:
    """Write the verdict under the figure; in red and large where a fit cannot be relied on.

    Parameters
    ----------
    figure : Figure
        With a constrained layout, which makes room.
    verdicts : sequence of tuple
        Names of models with their verdicts.  Those that converged share a line, with the worst of their numbers.
    extra : str
        What else to say there.
    """
    fine_print(figure, [*_said(verdicts), extra], loud=not all(verdict.passed for _, verdict in verdicts))


def fine_print(figure: Figure, lines: Sequence[str], loud: bool = False) -> None:
    """Write some lines under a figure, and make room for them.

    Parameters
    ----------
    figure : Figure
        With a constrained layout.
    lines : sequence of str
        Each is wrapped; empty ones are left out.
    loud : bool
        In red and large.
    """
    wide = int(figure.get_figwidth() * (12 if loud else 18))
    text = "\n".join(fill(line, wide) for line in lines if line)
    share = (0.15 * (text.count("\n") + 1) * (1.2 if loud else 1) + 0.12) / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, share, 1, 1 - share))  # type: ignore[union-attr, call-arg]
    colour, weight, size = (ALARM, "bold", NORMAL + 1) if loud else (GREY, "normal", SMALL)
    base = 0.06 / figure.get_figheight()
    figure.text(0.01, base, text, va="bottom", ha="left", color=colour, fontweight=weight, fontsize=size)


def verdicts_of(fits: Sequence[Fit]) -> list[tuple[str, Verdict]]:
    """Names of models with their verdicts."""
    return [(fit.model.name, fit.verdict) for fit in fits]


def _said(verdicts: Sequence[tuple[str, Verdict]]) -> list[str]:
    """One line a fit that failed, and one for those that passed."""
    failed, passed = ([one for one in verdicts if one[1].passed is kind] for kind in (False, True))
    lines = [f"{name}: {verdict}" for name, verdict in failed]
    if len(passed) == 1:
        lines += [f"{passed[0][0]}: {passed[0][1]}"]
    elif passed:
        r_hat = max(verdict.r_hat for _, verdict in passed)
        lines += [f"{', '.join(name for name, _ in passed)}: converged, r-hat ≤ {r_hat:.3f}"]
    return lines


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito


MARKERS = "os^Dvph"
DASHES = ("-", "--", "-.", ":")


def dashes(at: int, colours: int) -> str:
    """Dashes of the line of some number, so that no two lines of nearby numbers share colour or dashes alone.

    Parameters
    ----------
    at : int
        Number of the line, from 0.
    colours : int
        How many colours are used in turn.

    Examples
    --------
    >>> [dashes(at, 7) for at in (0, 1, 4, 7)]
    ['-', '--', '-', ':']
    """
    return DASHES[(at + at // colours * (colours % len(DASHES) == 0)) % len(DASHES)]
