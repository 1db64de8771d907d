"""How often the verdict's rules fail perfect chains, and how often they catch chains that did not mix.

    python benchmarks/r_hat_rule.py [--worlds 200]

Draws of 4 chains × 1000 are simulated for 1, 10, 100 and 500 independent quantities: perfect chains with an effective
sample size of 4000 or 800, and the same with one fault in one quantity.  Printed is the share of worlds that fail by a
largest r-hat above 1.01, by one above the verdict's own limit for that number of quantities, by the effective sample
sizes, and by the verdict's limit or the effective sample sizes.
"""

from __future__ import annotations

import argparse

import arviz_stats as azs
import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import lfilter

from bayes_scaling.inference.verdict import ESS_PER_CHAIN, r_hat_limit

CHAINS, DRAWS = 4, 1000
QUANTITIES = (1, 10, 100, 500)
FAULTS = ("none", "one chain shifted by 0.3 SD", "one chain shifted by 0.5 SD", "one chain twice as wide",
          "one chain a fifth of its time 3 SD away", "a slow wave of 0.5 SD in all chains")  # fmt: skip


def chains(rng: np.random.Generator, quantities: int, ess: float) -> np.ndarray:
    """Standard normal draws over (chain, draw, quantity) with an effective sample size."""
    share = ess / (CHAINS * DRAWS)
    memory = (1 - share) / (1 + share)
    noise = np.sqrt(1 - memory**2) * rng.normal(size=(CHAINS, DRAWS + 200, quantities))
    return lfilter([1.0], [1.0, -memory], noise, axis=1)[:, 200:]


def with_fault(draws: np.ndarray, fault: str) -> np.ndarray:
    """The same draws with a fault in the first quantity."""
    first = draws[..., 0]
    if "shifted" in fault:
        first[0] += float(fault.split()[4])
    if "wide" in fault:
        first[0] *= 2
    if "fifth" in fault:
        first[0, : DRAWS // 5] += 3
    if "wave" in fault:
        first += 0.5 * np.sin(np.linspace(0, 2 * np.pi, DRAWS)) * np.array([[1], [-1], [1], [-1]])
    return draws


def failed(draws: np.ndarray) -> dict[str, bool]:
    """By which rules the draws fail."""
    posterior = xr.Dataset({"x": (("chain", "draw", "quantity"), draws)})
    r_hat = float(azs.rhat(posterior)["x"].max())
    ess = min(float(azs.ess(posterior, method=kind)["x"].min()) for kind in ("bulk", "tail"))
    above, few = r_hat > r_hat_limit(CHAINS, draws.shape[-1]), ess < ESS_PER_CHAIN * CHAINS
    return {"r-hat > 1.01": r_hat > 1.01, "r-hat > limit": above, "ESS < 400": few, "verdict": above or few}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    worlds = parser.parse_args().worlds
    print("limits: " + ", ".join(f"{n} quantities {r_hat_limit(CHAINS, n):.4f}" for n in QUANTITIES))
    rng = np.random.default_rng(1)
    for ess in (4000, 800):
        rows = []
        for fault in FAULTS:
            for number in QUANTITIES:
                found = [failed(with_fault(chains(rng, number, ess), fault)) for _ in range(worlds)]
                rows.append({"fault": fault, "quantities": number} | pd.DataFrame(found).mean().to_dict())
        shown = pd.DataFrame(rows).set_index(["fault", "quantities"]) * 100
        print(f"\neffective sample size {ess}, share of worlds that fail [%]\n{shown.round(0).astype(int).to_string()}")


if __name__ == "__main__":
    main()
