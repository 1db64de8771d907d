"""Whether a law reads what a table of runs differs in, said before any sampling starts."""

from __future__ import annotations

import pandas as pd

from bayes_scaling.models.documents import list_models, load_model
from bayes_scaling.models.model import Model
from bayes_scaling.models.responses.loss import LOSS

MIXED = (
    2.0  # ratio of the largest to the smallest number of tokens per parameter that a law of compute may be fitted to
)
SHARE = 0.1  # of rows that may lie outside it
LEAST_NATS = 1.0  # a lower median loss is hardly one in nats per token of text


def unsuited(model: Model, runs: pd.DataFrame) -> str:
    """Why a law does not suit a table, and what would; empty where nothing speaks against it.

    A law of compute alone takes what differs between ratios of tokens to parameters for noise.  Laws of losses expect
    these in nats per token.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> unsuited(bs.load_model("power_law"), bs.load_dataset("gadre2024"))
    'power_law reads compute alone, but these runs saw 5 to 640 tokens per parameter, ...
    >>> unsuited(bs.load_model("params_tokens"), bs.load_dataset("gadre2024"))
    ''
    """
    return _other_unit(model, runs) or _mixed_ratios(model, runs)


def _other_unit(model: Model, runs: pd.DataFrame) -> str:
    loss = runs[LOSS.column].median() if LOSS.column in runs else float("nan")
    if not (loss < LEAST_NATS and any(part.response is LOSS for part in model.responses)):
        return ""
    return (
        f"{model.name} expects losses in nats per token, 2 to 4.5 at 1B parameters; half of these are below "
        f"{loss:.2g}: multiply bits per byte by 0.69 times the bytes per token of the tokenizer"
    )


def _mixed_ratios(model: Model, runs: pd.DataFrame) -> str:
    if _reads_sizes(model) or not any("flops" in part.columns for part in model.responses):
        return ""
    if not {"tokens", "params"} <= set(runs):
        return ""
    ratio = (runs["tokens"] / runs["params"]).dropna()
    if ratio.empty or ratio.quantile(1 - SHARE / 2) <= MIXED * ratio.quantile(SHARE / 2):
        return ""
    low, high = (f"{value:.0f}" if value >= 10 else f"{value:.2g}" for value in (ratio.min(), ratio.max()))
    better = [name for name in list_models() if _suits_better(load_model(name), model)]
    reads = "which read both" if len(better) > 1 else "which reads both"
    advice = f"fit {' or '.join(better)}, {reads}, or runs of one ratio" if better else "fit runs of one ratio"
    return (
        f"{model.name} reads compute alone, but these runs saw {low} to {high} tokens per parameter, and it takes what "
        f"that changes for noise: {advice}"
    )


def _reads_sizes(model: Model) -> bool:
    return any({"tokens", "params"} & set(part.columns) for part in model.responses)


def _suits_better(other: Model, model: Model) -> bool:
    """Whether a registered model is recommended, forecasts at least the same, and reads sizes."""
    wanted = {part.name for part in model.responses}
    return (
        bool(other.card.recommended_for) and _reads_sizes(other) and wanted <= {part.name for part in other.responses}
    )
