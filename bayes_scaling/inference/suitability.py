"""Whether a law suits a table of runs, said before any sampling starts."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayes_scaling.inference.bending import bend
from bayes_scaling.models.documents import list_models, load_model
from bayes_scaling.models.model import Model
from bayes_scaling.models.responses.accuracy import ACCURACY
from bayes_scaling.models.responses.loss import LOSS

MIXED = (
    2.0  # ratio of the largest to the smallest number of tokens per parameter that a law of compute may be fitted to
)
SHARE = 0.1  # of rows that may lie outside it
BENDS = "curvature"  # the parameter of `laws.changing_exponent.curved_power_law`
LEAST_NATS = 1.0  # a lower median loss is hardly one in nats per token of text


@dataclass(frozen=True)
class Doubt:
    """Why a law may not suit a table: in a few words, and in a sentence with advice."""

    brief: str
    text: str

    def __str__(self) -> str:
        return self.text


def doubt(model: Model, runs: pd.DataFrame) -> Doubt | None:
    """Why a law does not suit a table, and what would; None where nothing speaks against it.

    A law of compute alone takes what differs between ratios of tokens to parameters for noise.  Laws of losses expect
    these in nats per token.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> print(doubt(bs.load_model("power_law"), bs.load_dataset("gadre2024")))
    power_law reads compute alone, but these runs saw 5 to 640 tokens per parameter, ...
    >>> doubt(bs.load_model("params_tokens"), bs.load_dataset("gadre2024")) is None
    True
    """
    return _other_unit(model, runs) or _mixed_ratios(model, runs)


def bent(model: Model, runs: pd.DataFrame) -> str:
    """What to know where a law has one exponent for all compute and that rises along the runs; else empty.

    On simulated S-shaped curves a law whose exponent may change forecasts better; on most public benchmarks with such a
    rise, each fitted alone, it forecasts worse, and the bands of the recommended law nearly hold
    (`benchmarks/bending.py`).  So it is no reason to warn, but one to compare.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> runs = runs[runs["tokens_per_param"].between(19, 21.5) & (runs["params"] < 1e9)]
    >>> print(bent(bs.load_model("power_law_discrepancy"), runs[runs["benchmark"] == "piqa"]))
    power_law_discrepancy has one exponent for all compute, but over these runs it seems to rise, from 0.06 at ...
    """
    if not _one_exponent(model) or doubt(model, runs) or not (found := bend(runs)) or not found.rises:
        return ""
    others = [
        other.name for other in map(load_model, list_models())
        if BENDS in other.of_laws and _of_compute(other) and other.leaves_law == model.leaves_law
    ]  # fmt: skip
    grows = f"from {max(found.smallest, 0.0):.2f} at the smallest run to {found.largest:.2f} at the largest"
    return (
        f"{model.name} has one exponent for all compute, but over these runs it seems to rise, {grows}. Where scores "
        f"follow an S-shaped curve, {' or '.join(others)} forecasts better; on most public benchmarks with such a rise "
        f"it forecasts worse. A backtest of both can tell"
    )


def _other_unit(model: Model, runs: pd.DataFrame) -> Doubt | None:
    loss = runs[LOSS.column].median() if LOSS.column in runs else float("nan")
    if not (loss < LEAST_NATS and any(part.response is LOSS for part in model.responses)):
        return None
    return Doubt(
        "it expects losses in nats per token",
        f"{model.name} expects losses in nats per token, 2 to 4.5 at 1B parameters; half of these are below "
        f"{loss:.2g}: multiply bits per byte by 0.69 times the bytes per token of the tokenizer",
    )


def _one_exponent(model: Model) -> bool:
    """Whether a model follows a power law of scores along compute that never bends."""
    return _of_compute(model) and "alpha" in model.of_laws and not {BENDS, "after"} & model.of_laws


def _of_compute(model: Model) -> bool:
    """Whether all that a model forecasts is scores, from compute alone."""
    return all(part.response is ACCURACY and "flops" in part.columns for part in model.responses)


def _mixed_ratios(model: Model, runs: pd.DataFrame) -> Doubt | None:
    if _reads_sizes(model) or not any("flops" in part.columns for part in model.responses):
        return None
    if not {"tokens", "params"} <= set(runs):
        return None
    ratio = (runs["tokens"] / runs["params"]).dropna()
    if ratio.empty or ratio.quantile(1 - SHARE / 2) <= MIXED * ratio.quantile(SHARE / 2):
        return None
    low, high = (f"{value:.0f}" if value >= 10 else f"{value:.2g}" for value in (ratio.min(), ratio.max()))
    better = [name for name in list_models() if _suits_better(load_model(name), model)]
    reads = "which read both" if len(better) > 1 else "which reads both"
    advice = f"fit {' or '.join(better)}, {reads}, or runs of one ratio" if better else "fit runs of one ratio"
    return Doubt(
        "it reads compute alone",
        f"{model.name} reads compute alone, but these runs saw {low} to {high} tokens per parameter, and it takes what "
        f"that changes for noise: {advice}",
    )


def _reads_sizes(model: Model) -> bool:
    return any({"tokens", "params"} & set(part.columns) for part in model.responses)


def _suits_better(other: Model, model: Model) -> bool:
    """Whether a registered model is recommended, forecasts at least the same, and reads sizes."""
    wanted = {part.name for part in model.responses}
    return (
        bool(other.card.recommended_for) and _reads_sizes(other) and wanted <= {part.name for part in other.responses}
    )
