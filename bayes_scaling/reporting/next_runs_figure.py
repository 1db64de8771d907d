"""What the next runs would tell: the uncertainty that is left, over what has been spent (`plot_next_runs`)."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from bayes_scaling.data.sizes import size_text
from bayes_scaling.errors import DataError
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.reporting.canvas import COLOURS, GREY, NORMAL, SMALL, InlineFigure
from bayes_scaling.reporting.headings import around_answer

NAMED = 0.03  # of the deviation at the start: runs that tell less have no name in the figure


def plot_next_runs(chosen: pd.DataFrame) -> Figure:
    """Draw the standard deviation of the target that is left after each chosen run, over what the runs cost together.

    Runs that take away at least a thirtieth of it are named.

    Parameters
    ----------
    chosen : DataFrame
        From `next_runs`.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        It is not such a table, or is empty.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=["1e20", "1e21"], benchmark="hellaswag", mixture="C4")
    >>> goal = bs.plan_runs(flops="1e23", benchmark="hellaswag", mixture="C4")
    >>> bs.plot_next_runs(bs.next_runs(fit, plan, goal, number=2, seed=1)).savefig("next.png")
    """
    if not (isinstance(chosen, pd.DataFrame) and {"total_cost", "sd_after", "run"} <= set(chosen) and len(chosen)):
        raise DataError("plot_next_runs needs what bs.next_runs returns, with at least one run")
    figure = InlineFigure(figsize=(6.9, 4.2), layout="constrained")
    panel = figure.subplots()
    cost = [0.0, *chosen["total_cost"]]
    left = [chosen["sd_before"].iloc[0], *chosen["sd_after"]]
    panel.step(cost, left, where="post", color=COLOURS[0], lw=1.6)
    panel.plot(cost[1:], left[1:], "o", color=COLOURS[0], ms=5)
    for row in chosen[chosen["sd_before"] - chosen["sd_after"] >= NAMED * left[0]].to_dict("records"):
        panel.annotate(row["run"], (row["total_cost"], row["sd_after"]), xytext=(3, 4), textcoords="offset points",
                       fontsize=SMALL, color=GREY)  # fmt: skip
    panel.set_ylim(bottom=0)
    panel.set_xlim(left=0, right=1.15 * cost[-1])
    cost_name = str(chosen.attrs.get("cost", "cost"))
    paid = "compute of the chosen runs together [FLOPs]"
    panel.set_xlabel(paid if cost_name == "flops" else f"{cost_name} of the chosen runs together", fontsize=NORMAL)
    panel.xaxis.set_major_formatter(lambda value, _: size_text(value, 3) if value else "0")
    response = RESPONSES.get(str(chosen.attrs.get("response")))
    unit = f" [{response.label}]" if response else ""
    panel.set_ylabel(f"standard deviation of the target{unit}", fontsize=NORMAL)
    panel.set_title("what is left uncertain after each run, best first", fontsize=SMALL, color=GREY, loc="left")
    panel.tick_params(labelsize=SMALL, length=3)
    panel.grid(color="0.92", lw=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    around_answer(figure, "Which runs to make next", {str(name): value for name, value in chosen.attrs.items()})
    return figure
