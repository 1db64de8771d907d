"""Which likelihood, ceiling and run effect forecast best: the evidence behind the registered models.

    python benchmarks/choose_model.py [--draws 500] [--out table.csv]

Fits every variant to the smaller runs of the shipped data and scores its forecast of the larger ones.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd
from splits import compute_splits, size_splits

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.forecasting.summaries import average_benchmarks
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model

# With the law of parameters and tokens these take minutes a fit and still do not converge (r-hat 1.5).
SKIPPED = {"compute": (), "size": ("beta_binomial", "floor + ceiling")}
BASES = {"compute": ("power_law", "power_law"), "size": ("params_tokens", "params_tokens")}


def variants(kind: str) -> Iterator[tuple[str, Model]]:
    """Name and model of everything that is compared."""
    name, law = BASES[kind]
    base = to_document(bs.load_model(name))
    varies = base["varies"]
    forms = {
        "floor": (f"{law} > accuracy", {}),
        "floor + ceiling": (f"{law} > ceiling > accuracy", {}),
        "floor + run effect": (f"{law} > run_shift > accuracy", {"shift": {"run": 0.03}}),
    }
    for likelihood in ("beta", "normal", "beta_binomial"):
        for label, (form, more) in forms.items():
            if label != "floor" and likelihood != "beta":
                continue
            if (likelihood if label == "floor" else label) in SKIPPED[kind]:
                continue
            response_model = {"response": "accuracy", "law": form, "likelihood": likelihood}
            yield f"{likelihood}, {label}", _model(base, [response_model], varies | more)
    response_model = {"response": "accuracy", "law": f"{law} > accuracy", "likelihood": "beta"}
    at_chance = {k: v for k, v in varies.items() if k != "floor_shift"}
    yield "beta, floor at chance", _model(base, [response_model], at_chance, fixed={"floor_shift": 0.0} | base["fixed"])
    yield "beta, floor, no pooling", _model(base, [response_model], varies, pooling="none")
    yield "beta, floor, complete pooling", _model(base, [response_model], varies, pooling="complete")


def _model(base: dict[str, Any], responses: list[dict[str, str]], varies: dict[str, Any], **other: Any) -> Model:
    if responses[0]["likelihood"] == "beta_binomial":  # always has the whole item noise
        other = {"fixed": {}} | other
    return from_document(base | {"responses": responses, "varies": varies} | other)


def evaluate(model: Model, known: pd.DataFrame, later: pd.DataFrame, draws: int) -> dict[str, float]:
    """Scores of one variant on one split."""
    start = time.perf_counter()
    fit = bs.fit(model, known, seed=1, draws=draws, progress=False)
    ahead = bs.forecast(fit, later, seed=1, even_if_not_converged=True)
    table = score_forecast(ahead, later)
    together = average_benchmarks(ahead)
    reached = later.groupby("run", sort=False)["score"].mean().reindex(together["run"].to_numpy()).reset_index()
    average = score_forecast(together, reached)
    return {
        "crps": table["crps"].mean(),
        "error": table["error"].abs().mean(),
        "bias": table["error"].mean(),
        **{f"cover_{p}": table[f"inside_{p}"].mean() for p in (50, 80, 95)},
        "width_80": table["width_80"].mean(),
        "average_error": average["error"].abs().mean(),
        "average_cover_80": average["inside_80"].mean(),
        "average_width_80": average["width_80"].mean(),
        "r_hat": fit.verdict.r_hat,
        "divergences": fit.verdict.divergences,
        "seconds": time.perf_counter() - start,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ScalingWarning)
    rows = []
    for split, kind, known, later in (*compute_splits(), *size_splits()):
        if arguments.only not in split:
            continue
        for variant, model in variants(kind):
            rows.append({"split": split, "variant": variant} | evaluate(model, known, later, arguments.draws))
            print(pd.DataFrame(rows[-1:]).round(4).to_string(index=False, header=len(rows) == 1), flush=True)
    table = pd.DataFrame(rows)
    if arguments.out:
        table.to_csv(arguments.out, index=False)
    numbers = table.drop(columns="split").groupby("variant", sort=False).mean()
    print("\nMean over the splits\n" + numbers.round(4).to_string())


if __name__ == "__main__":
    main()
