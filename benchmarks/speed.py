"""What a fit costs, as ratios to plain ``pm.sample()`` of the naive model, side by side in one run.

    python benchmarks/speed.py [--repeat 3]

Every figure is the median over repeats that alternate with the baseline.  (a) process start to saved fit
with this model never compiled before; (b) the same once it was; (c) refit on other rows in the same
process; (d) smallest effective sample size per second of the whole process of (b).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import arviz_stats as azs
import numpy as np
import xarray as xr

HERE = Path(__file__).parent
OURS = """
import sys; sys.path.insert(0, {here!r})
from splits import gadre
import bayes_scaling as bs
bs.fit(bs.load_model("power_law"), gadre(at_20=True), seed=1, attempts=1, progress=False).save({out!r}, overwrite=True)
"""
REFIT = """
import sys, time; sys.path.insert(0, {here!r})
from splits import gadre
import bayes_scaling as bs
runs, model = gadre(at_20=True), bs.load_model("power_law")
bs.fit(model, runs, seed=1, attempts=1, progress=False)
labels = runs["run"].unique()
start = time.perf_counter()
for label in labels[:3]:
    bs.fit(model, runs[runs["run"] != label], seed=1, attempts=1, progress=False)
print((time.perf_counter() - start) / 3)
"""


def timed(arguments: list[str], cache: Path) -> tuple[float, str]:
    """Wall time of a fresh process, and what it printed."""
    start = time.perf_counter()
    environment = os.environ | {"BAYES_SCALING_CACHE": str(cache)}
    done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, done.stdout


def smallest_ess(points: np.ndarray) -> float:
    """Smallest bulk effective sample size over all quantities, from draws of shape (chain, draw, quantity)."""
    ess = azs.ess(xr.Dataset({"x": (("chain", "draw", "quantity"), points)}))["x"]
    return float(ess.min())


def measure(folder: Path) -> dict[str, float]:
    """One repeat: seconds of everything, one after the other."""
    naive, saved = folder / "naive.npz", folder / "fit.nc"
    script = OURS.format(here=str(HERE), out=str(saved))
    with tempfile.TemporaryDirectory() as fresh:
        first, _ = timed([sys.executable, "-c", script], Path(fresh))
        again, _ = timed([sys.executable, "-c", script], Path(fresh))
        refit = float(timed([sys.executable, "-c", REFIT.format(here=str(HERE))], Path(fresh))[1])
    baseline, _ = timed([sys.executable, str(HERE / "naive.py"), str(naive)], folder)
    with np.load(naive) as draws:
        theirs, steps = smallest_ess(draws["points"]), float(draws["steps"].mean())
        divergences = int(draws["diverging"].sum())
    tree = xr.open_datatree(saved, engine="h5netcdf")
    read = [v.to_numpy().reshape(4, 1000, -1) for v in tree["posterior"].data_vars.values()]
    ours = smallest_ess(np.concatenate(read, axis=2))
    return {
        "baseline seconds": baseline,
        "(a) first fit": first / baseline,
        "(b) compiled before": again / baseline,
        "(c) refit": refit / baseline,
        "(d) ESS per second": (ours / again) / (theirs / baseline),
        "leapfrog steps a draw, ours": float(tree["sample_stats"]["n_steps"].mean()),
        "leapfrog steps a draw, baseline": steps,
        "smallest ESS, ours": ours,
        "smallest ESS, baseline": theirs,
        "divergences, ours": float(tree["sample_stats"]["diverging"].sum()),
        "divergences, baseline": float(divergences),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    repeats = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(parser.parse_args().repeat):
            repeats.append(measure(Path(folder)))
    for name in repeats[0]:
        values = sorted(r[name] for r in repeats)
        print(f"{name:32s} median {np.median(values):8.3f}   {values[0]:8.3f} to {values[-1]:8.3f}")


if __name__ == "__main__":
    main()
