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
``seed``              of the forecast; "None" where there was none, so that its draws cannot be made again
``version``           of this package
====================  =======================================================================================
"""

from __future__ import annotations

import pandas as pd

from bayes_scaling.data.fingerprints import table_sha256
from bayes_scaling.files.digests import canonical
from bayes_scaling.version import __version__

ORIGIN = ("model_document", "runs_sha256", "plan_sha256", "seed", "version")
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
    return dict(zip(ORIGIN, (canonical(document), *hashes, str(seed), __version__), strict=True))
