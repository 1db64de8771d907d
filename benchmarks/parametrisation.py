"""How effects between groups should be parametrised for the sampler.

    python benchmarks/parametrisation.py [--seeds 2]

Fits the power law to the twelve benchmarks and three mixtures of gadre2024 under several rules and prints
divergences, diagnostics and what a draw costs: leapfrog steps, and effective draws per thousand gradients.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from unittest.mock import patch

from splits import gadre

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.inference.centring import centring

RULES: dict[str, Callable[..., float] | None] = {
    "non-centred (0)": lambda effect, model, levels: 0.0,
    "half way (0.5)": lambda effect, model, levels: 0.5,
    "centred (1)": lambda effect, model, levels: 1.0,
    "by effect (shipped)": None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    warnings.simplefilter("ignore", ScalingWarning)
    runs, model = gadre(at_20=True), bs.load_model("power_law")
    seeds = range(1, parser.parse_args().seeds + 1)
    print(f"{'zero-sum effects':22s} seed divergences  r-hat  smallest ESS  steps/draw  ESS per 1000 gradients")
    for name, rule in RULES.items():
        for seed in seeds:
            with patch("bayes_scaling.inference.design.centring", rule or centring):
                fit = bs.fit(model, runs, seed=seed, attempts=1, progress=False)
            verdict, steps = fit.verdict, float(fit.tree["sample_stats"]["n_steps"].mean())
            smallest = min(verdict.ess_bulk, verdict.ess_tail)
            print(
                f"{name:22s} {seed:4d} {verdict.divergences:11d} {verdict.r_hat:6.3f} {smallest:13.0f} {steps:11.1f} "
                f"{1000 * smallest / (steps * verdict.chains * verdict.draws):23.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
