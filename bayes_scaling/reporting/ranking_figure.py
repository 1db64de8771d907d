"""A ranking of mixtures: scores with intervals, and the probability that each beats each other (`plot_ranking`)."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from bayes_scaling.decisions.rankings import summarise_ranking
from bayes_scaling.errors import DataError
from bayes_scaling.reporting.canvas import COLOURS, GREY, NORMAL, SMALL, InlineFigure
from bayes_scaling.reporting.headings import around_answer

ROW, MARGIN = 0.36, 2.2  # inches
LONGEST = 32  # characters of a label


def plot_ranking(found: xr.Dataset, benchmark: str | None = None) -> Figure:
    """Draw mixtures in the order of their scores, and beside them how sure each pair is.

    At the left a dot is the mean score and the bar holds 80 % of the draws; filled dots are tied with the first.  At
    the right the number in each field is the probability [%] that the mixture of the row scores higher than that of the
    column.

    Parameters
    ----------
    found : Dataset
        From `rank`.
    benchmark : str, optional
        By default the average, or the only one.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        It is not such a Dataset, or has no such benchmark.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> found = bs.rank(bs.Fit.load("power_law.nc"), "1e22", seed=1)
    >>> bs.plot_ranking(found).savefig("ranking.png")
    """
    if not (isinstance(found, xr.Dataset) and {"beats", "regret"} <= set(found)):
        raise DataError("plot_ranking needs what bs.rank returns")
    table = summarise_ranking(found, benchmark)
    name = str(found["benchmark"].to_numpy()[-1]) if benchmark is None else benchmark
    order = list(table["mixture"])
    beats = 100 * found["beats"].sel(benchmark=name, mixture=order, other=order).to_numpy()
    number = len(order)
    figure = InlineFigure(figsize=(8.2, ROW * number + MARGIN), layout="constrained")
    scores, pairs = figure.subplots(1, 2, width_ratios=(1.1, 1))
    for place, row in enumerate(table.to_dict("records")):
        scores.plot([row["lower_80"], row["upper_80"]], [place, place], color=COLOURS[0], lw=3, alpha=0.45,
                    solid_capstyle="butt")  # fmt: skip
        scores.plot(row["score"], place, "o", color=COLOURS[0], ms=5.5, mfc=COLOURS[0] if row["tied"] else "white")
        scores.annotate(f"{100 * row['best']:.0f} %", (1.01, place), xycoords=("axes fraction", "data"), va="center",
                        fontsize=SMALL)  # fmt: skip
    labels = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in order]
    scores.set_yticks(range(number), labels, fontsize=NORMAL)
    scores.set_ylim(number - 0.5, -0.5)
    scores.set_xlabel(f"score on {name} [proportion]", fontsize=NORMAL)
    scores.annotate("best", (1.01, 1.01), xycoords="axes fraction", fontsize=SMALL, color=GREY)
    scores.grid(axis="x", color="0.9", lw=0.6)
    scores.spines[["top", "right"]].set_visible(False)
    pairs.imshow(beats, cmap="PuOr", vmin=0, vmax=100, alpha=0.6, aspect="auto")
    for i in range(number):
        for j in range(number):
            text = "" if i == j else f"{beats[i, j]:.0f}"
            pairs.text(j, i, text, ha="center", va="center", fontsize=SMALL if number <= 8 else SMALL - 2)
    pairs.set_xticks(range(number), [str(j + 1) for j in range(number)])
    pairs.set_yticks(range(number), [str(i + 1) for i in range(number)])
    pairs.set_xlabel("than the mixture of this rank", fontsize=NORMAL)
    pairs.set_title("probability of scoring higher [%]", fontsize=SMALL, color=GREY, loc="left")
    scores.set_title(f"at {found.attrs['flops']:.2g} FLOPs: mean and 80 %; filled: tied with the first", fontsize=SMALL,
                     color=GREY, loc="left")  # fmt: skip
    for panel in (scores, pairs):
        panel.tick_params(labelsize=SMALL, length=3)
    around_answer(figure, "Which mixture scores highest", found.attrs)
    return figure
