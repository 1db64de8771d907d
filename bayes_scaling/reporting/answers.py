"""What a forecast and answers to planners' questions say, in sentences for people who know no statistics."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.sizes import size_text
from bayes_scaling.decisions.allocations import summarise_allocation
from bayes_scaling.decisions.compute_targets import summarise_compute
from bayes_scaling.decisions.rankings import summarise_ranking
from bayes_scaling.decisions.trades import summarise_trade
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.notes import remarks_of
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response

HELD = 0.8
UNSPECIFIED = "unspecified"
NOTE = "Note: "


def forecast_sentences(ahead: xr.Dataset) -> list[str]:
    """One sentence for each planned row: what a new run should score, and between which scores with 80 % probability.

    Examples
    --------
    >>> draws = (("chain", "draw", "row"), np.array([[[0.7], [0.72]]]))
    >>> where = {"benchmark": ("row", ["piqa"]), "mixture": ("row", ["C4"]), "flops": ("row", [1e22])}
    >>> print(forecast_sentences(xr.Dataset({"accuracy": draws}, where))[0])
    On piqa, trained on C4 with 1e22 FLOPs, a new model should score 0.710; with 80 % probability between 0.702 and
    0.718.
    """
    found = []
    for name, response in RESPONSES.items():
        if name not in ahead:
            continue
        draws = row_draws(ahead[name])
        low, high = interval(draws, HELD)
        reach = "score" if response.per_benchmark else f"reach a {name} of"
        for at, middle in enumerate(draws.mean(axis=1)):
            if np.isfinite(middle):
                found.append(
                    f"{_place(ahead.isel(row=at), response)}, a new model should {reach} {middle:.3f}; "
                    f"with {100 * HELD:.0f} % probability between {low[at]:.3f} and {high[at]:.3f}."
                )
    return found


def _place(row: xr.Dataset, response: Response) -> str:
    """Benchmark, mixture and compute of a row, in words."""
    tries = float(row["k"].item()) if "k" in row.coords else np.nan
    on = "Trained"
    if response.per_benchmark:
        on = f"On {row['benchmark'].item()}{_samples(tries)}, trained"
    mixture = str(row["mixture"].item()) if "mixture" in row.coords else UNSPECIFIED
    data = "" if mixture == UNSPECIFIED else f" on {mixture}"
    return f"{on}{data} with {size_text(float(row['flops'].item()), 3)} FLOPs"


def _flops(compute: float) -> str:
    return f"{size_text(compute, 2)} FLOPs"


def _samples(tries: float) -> str:
    return f" with {tries:g} samples" if np.isfinite(tries) else ""


def answer_sentences(answer: xr.Dataset | pd.DataFrame) -> tuple[str, list[str]]:
    """The question that an answer is to, and the answer in sentences.

    Parameters
    ----------
    answer : Dataset or DataFrame
        From `compute_for`, `elasticity`, `worth`, `rank`, `allocate`, `trade` or `next_runs`.

    Raises
    ------
    DataError
        It is none of those.
    """
    if isinstance(answer, pd.DataFrame):
        for columns, question, told_of in (
            ({"sd_before", "sd_after", "share"}, "Which runs should come next?", _next),
            ({"gain", "rises"}, "What does more compute buy?", _gains),
            ({"sd", "items"}, "What is the forecast worth?", _worth),
        ):
            if columns <= set(answer):
                return question, [*told_of(answer), *_noted(answer)]
    elif isinstance(answer, xr.Dataset):
        for name, question, told in (
            ("target", "What does the target cost?", _compute), ("beats", "Which mixture is best?", _ranked),
            ("missed", "How should the budget be split?", _split),
            ("cheapest", "Longer training or more samples?", _traded),
        ):  # fmt: skip
            if name in answer or name in answer.coords:
                return question, [*told(answer), *_noted(answer)]
    raise DataError("a report takes answers of compute_for, elasticity, worth, rank, allocate, trade and next_runs")


def _noted(answer: xr.Dataset | pd.DataFrame) -> list[str]:
    return [note_sentence(remark) for remark in remarks_of(answer.attrs.get("note", ""))]


def note_sentence(remark: str) -> str:
    """A remark as a sentence of its own."""
    return f"{NOTE}{remark}."


def _compute(found: xr.Dataset) -> list[str]:
    told = []
    for row in summarise_compute(found).to_dict("records"):
        head = f"To score {row['target']:.3g} on {_on(row)}"
        never = f"With {100 * row['never']:.0f} % probability no compute within reach is enough."
        if not np.isfinite(row["enough_50"]):
            told.append(f"{head}, no compute within reach is enough, with {100 * row['never']:.0f} % probability.")
            continue
        enough = f"{_flops(row['enough_90'])} are enough with 90 % probability."
        sure = enough if np.isfinite(row["enough_90"]) else never
        told.append(f"{head}, {_flops(row['enough_50'])} are enough with 50 % probability. {sure}")
    return told


def _on(row: dict[Hashable, Any]) -> str:
    """Benchmark and mixture of a row of a table, in words."""
    return str(row["benchmark"]) + ("" if row["mixture"] == UNSPECIFIED else f" on {row['mixture']}")


def _gains(table: pd.DataFrame) -> list[str]:
    if not {"flops", "factor"} <= set(table.attrs):
        raise DataError("this table of gains has lost its attributes: give the report what bs.elasticity returned")
    start, factor = table.attrs["flops"], table.attrs["factor"]
    return [
        f"From {size_text(start, 2)} to {_flops(factor * start)} the score on {_on(row)} rises by {row['gain']:z.3f}; "
        f"with {100 * HELD:.0f} % probability by {row['lower_80']:z.3f} to {row['upper_80']:z.3f}."
        for row in table.to_dict("records")
    ]


def _worth(table: pd.DataFrame) -> list[str]:
    return [
        f"The forecast for {_on(row)} with {size_text(row['flops'], 3)} FLOPs{_samples(row.get('k', np.nan))} says as "
        f"much of the planned model as a test of it with {row['items']:,.0f} items would."
        for row in table.to_dict("records")
    ]


def _ranked(found: xr.Dataset) -> list[str]:
    table = summarise_ranking(found)
    first = table.iloc[0]
    tied = list(table.loc[table["tied"], "mixture"][1:])
    told = [
        f"On {found['benchmark'].to_numpy()[-1]} at {_flops(found.attrs['flops'])}, {first['mixture']} scores "
        f"highest; it is the best with {100 * first['best']:.0f} % probability."
    ]
    if tied:
        told.append(f"These data cannot tell it from {', '.join(tied)}.")
    told.append(
        f"Differences below {float(found['detectable'][-1]):.3f} are too small to be seen. The first falls "
        f"short of the best by {first['regret']:.4f} on average, because another may be better."
    )
    return told


def _split(found: xr.Dataset) -> list[str]:
    table = summarise_allocation(found)
    middle = table["recommended"].to_dict()
    least, most = table["lower_80"].to_dict()["params"], table["upper_80"].to_dict()["params"]
    return [
        f"Train {size_text(middle['params'], 3)} parameters on {size_text(middle['tokens'], 3)} tokens, "
        f"{middle['tokens_per_param']:.3g} tokens for each parameter, with {_flops(middle['budget'])}.",
        f"The best size lies between {size_text(least, 3)} and {size_text(most, 3)} parameters with 80 % probability; "
        f"missing it costs {middle['missed']:.2g} of the {found.attrs['outcome']} on average.",
    ]


def _traded(found: xr.Dataset) -> list[str]:
    table = summarise_trade(found)
    own = table[table["k"] == found.attrs["recommended_k"]].sort_values("cost").iloc[0]
    return [
        f"Taking {own['k']:.0f} samples for each problem costs least: {_flops(own['cost'])} for training and "
        f"sampling, of which training takes {size_text(own['flops'], 2)}. It is the cheapest with "
        f"{100 * own['cheapest']:.0f} % probability."
    ]


def _next(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["No candidate lies within the budget."]
    told = []
    for number, row in enumerate(table.to_dict("records")):
        told.append(
            f"{number + 1}. {row['run']}, which leaves {100 * row['share']:.0f} % of the variance of the target "
            f"at a cost of {row['total_cost']:.2g} in all."
        )
    return told


def further_sentences(table: pd.DataFrame) -> list[str]:
    """What one further run would tell of a plan, a sentence for each size of it; see `further_runs`."""
    return [
        f"One further run of {_flops(row['flops'])}{' on each mixture' if row['runs'] > 1 else ''}, scored "
        f"likewise, would leave {100 * np.sqrt(row['share']):.0f} % of what is uncertain about the expected scores."
        for row in table.to_dict("records")
    ]
