"""How far importance sampling can be relied on: leave-one-out densities of laws before and after refits.

    python benchmarks/leave_one_out.py [--models power_law,power_law_discrepancy] [--draws 1000]

Fits 12 benchmarks × 3 mixtures of gadre2024 and prints the expected log predictive density (elpd, in nats) by PSIS-LOO
as ArviZ computes it, the number of scores whose Pareto k says that it is unreliable, and the elpd once fits without
each of these scores have replaced them.  Takes minutes: one fit for every such score.
"""

from __future__ import annotations

import argparse
import warnings

from splits import gadre

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.evaluation.cross_validation import leave_one_out
from bayes_scaling.inference.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="power_law,power_law_discrepancy")
    parser.add_argument("--draws", type=int, default=1000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ScalingWarning)
    runs = gadre(at_20=True)
    fits = [bs.fit(bs.load_model(name), runs, seed=1, progress=False) for name in arguments.models.split(",")]
    table, warned = leave_one_out(tuple(fits), seed=1, settings=Settings(chains=2, draws=arguments.draws))
    columns = ["model", "rows", "elpd_before", "pareto_k_high", "rows_refitted", "elpd", "se", "elpd_diff", "dse"]
    print(table[columns].round(1).to_string(index=False))
    print("\n".join(warned))


if __name__ == "__main__":
    main()
