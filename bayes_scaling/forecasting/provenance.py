"""Where a forecast comes from: hashes of tables that depend on nothing but their content, and what forecasts carry.

Every forecast, of a fit, an average or a baseline, has these attributes, all of them texts:

====================  =======================================================================================
``model``             name of the model, of the models averaged, or of the published estimator
``verdict``           whether the draws can be relied on, in words
``converged``         "True" or "False"
``law_uncertainty``   what the bands leave out
``model_document``    JSON of the model's document; of an average, the documents and weights of its laws; of a
                      baseline, its name and options
``runs_sha256``       hash of the runs that were fitted, see `table_sha256`
``plan_sha256``       hash of the plan as it was given
``benchmarks``        JSON of what the scores mean: metric, chance and items of every benchmark, where known
``seed``              of the forecast; "None" where there was none, so that its draws cannot be made again
``version``           of this package
====================  =======================================================================================
"""

from __future__ import annotations

import pandas as pd

from bayes_scaling.data.fingerprints import table_sha256
from bayes_scaling.files.digests import canonical
from bayes_scaling.version import __version__

ORIGIN = ("model_document", "runs_sha256", "plan_sha256", "benchmarks", "seed", "version")
FACTS = ("metric", "chance", "n_items")
PROVENANCE = ("model", "verdict", "converged", "law_uncertainty", *ORIGIN)


def origin(document: object, runs: pd.DataFrame, plan: pd.DataFrame, seed: int | None) -> dict[str, str]:
    """Attributes that say by which model, from which data and for which plan a forecast was made.

    Parameters
    ----------
    document
        The model in words, of what JSON can hold.
    runs, plan : DataFrame
        As they were given.
    seed : int or None
        Of the forecast.
    """
    hashes = table_sha256(runs), table_sha256(plan)
    facts = canonical(benchmark_facts(runs, plan))
    return dict(zip(ORIGIN, (canonical(document), *hashes, facts, str(seed), __version__), strict=True))


def benchmark_facts(runs: pd.DataFrame, plan: pd.DataFrame) -> dict[str, dict[str, str | float]]:
    """Metric, chance and items of every planned benchmark: what the plan says, or else what the runs say.

    Where a benchmark has several, as with pass@k beside an accuracy, the fact is left out.

    Examples
    --------
    >>> runs = pd.DataFrame({"benchmark": ["piqa"], "metric": ["accuracy"], "chance": [0.5]})
    >>> benchmark_facts(runs, pd.DataFrame({"benchmark": ["piqa"], "n_items": [1838.0]}))
    {'piqa': {'metric': 'accuracy', 'chance': 0.5, 'n_items': 1838.0}}
    """
    found: dict[str, dict[str, str | float]] = {}
    for benchmark in dict.fromkeys(plan["benchmark"].dropna().astype(str)) if "benchmark" in plan else ():
        facts: dict[str, str | float] = {}
        for name in FACTS:
            for table in (plan, runs):
                if name not in table or "benchmark" not in table:
                    continue
                values = table.loc[table["benchmark"].astype(str) == benchmark, name].dropna().unique()
                if len(values):
                    if len(values) == 1:
                        facts[name] = values[0] if name == "metric" else float(values[0])
                    break
        found[benchmark] = facts
    return found
