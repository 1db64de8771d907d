"""Whether every registered law samples as it should on both shipped data sets.

    python benchmarks/sampler.py [--seeds 1] [--only power_law,bnsl]

Fits 12 benchmarks × 3 mixtures of gadre2024 (at about 20 tokens per parameter for laws of compute, at all ratios for
the others) and olmo_ladder without its targets, 4 × 1000 kept draws and one attempt, and prints divergences, r-hat, the
smallest effective sample size, leapfrog steps for a kept draw, and whether the bars are met: the verdict passes, and
no draw diverges.
"""

from __future__ import annotations

import argparse
import warnings

from splits import gadre, olmo

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="names of models, with commas between them")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ScalingWarning)
    ladder = olmo()
    ladder = ladder[~ladder["is_target"].astype(bool)]
    print(f"{'model':26s} {'data':12s} seed divergences  r-hat    ESS  steps  bars")
    for name in arguments.only.split(",") if arguments.only else bs.list_models():
        model = bs.load_model(name)
        if any(response_model.name == "pass_at_k" for response_model in model.responses):
            continue  # no shipped data set has pass@k
        of_compute = all("tokens" not in response_model.columns for response_model in model.responses)
        for data, runs in (("gadre2024", gadre(at_20=of_compute)), ("olmo_ladder", ladder)):
            for seed in range(1, arguments.seeds + 1):
                fit = bs.fit(model, runs, seed=seed, attempts=1, progress=False)
                verdict, steps = fit.verdict, float(fit.tree["sample_stats"]["n_steps"].mean())
                smallest = min(verdict.ess_bulk, verdict.ess_tail)
                met = verdict.passed and verdict.divergences == 0
                print(
                    f"{name:26s} {data:12s} {seed:4d} {verdict.divergences:11d} {verdict.r_hat:6.3f} {smallest:6.0f} "
                    f"{steps:6.0f}  {'met' if met else 'NOT MET'}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
