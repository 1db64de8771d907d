"""Posterior predictive checks of the likelihoods: do replicated scores scatter like the observed ones?

    python benchmarks/predictive_checks.py

Fits the power law under every likelihood to both shipped data sets and compares the fitted scores with new
draws at the same runs: coverage overall, and for scores within 5 points of their floor and for the rest.
"""

from __future__ import annotations

import warnings

import pandas as pd
from splits import gadre, olmo

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model


def under(likelihood: str) -> Model:
    """The power law with another likelihood."""
    document = to_document(bs.load_model("power_law"))
    document["responses"][0]["likelihood"] = likelihood
    if "item_share" not in [p.name for p in LIKELIHOODS[likelihood].component.parameters]:
        document["fixed"] = {}
    return from_document(document)


def main() -> None:
    warnings.simplefilter("ignore", ScalingWarning)
    data = {"gadre2024": gadre(at_20=True), "olmo_ladder": olmo().query("params < 2e9")}
    rows = []
    for name, runs in data.items():
        for likelihood in LIKELIHOODS:
            fit = bs.fit(under(likelihood), runs, seed=1, progress=False)
            table = score_forecast(bs.forecast(fit, runs, seed=1, even_if_not_converged=True), runs)
            low = (runs["score"] < runs["chance"] + 0.05).to_numpy()
            for where, part in (("all", table), ("near floor", table[low]), ("above", table[~low])):
                cover = {f"cover_{p}": part[f"inside_{p}"].mean() for p in (50, 80, 95)}
                rows.append({"data": name, "likelihood": likelihood, "scores": where, "rows": len(part)} | cover)
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
