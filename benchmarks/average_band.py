"""Whether the band of an average over benchmarks is right inside the data, with and without a run effect.

    python benchmarks/average_band.py

Fits both shipped data sets and compares each run's average score with a new run's interval for it.
"""

from __future__ import annotations

import warnings

from choose_model import variants
from splits import gadre, olmo

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.forecasting.summaries import average_benchmarks


def main() -> None:
    warnings.simplefilter("ignore", ScalingWarning)
    data = {"gadre2024": (gadre(at_20=True), "compute"), "olmo_ladder": (olmo().query("params < 2e9"), "size")}
    print("data         variant                 runs  cover 50/80/95     width 80  r-hat")
    for name, (runs, kind) in data.items():
        for variant, model in variants(kind):
            if variant not in ("beta, floor", "beta, floor + run effect"):
                continue
            fit = bs.fit(model, runs, seed=1, draws=500, progress=False)
            together = average_benchmarks(bs.forecast(fit, runs, seed=1, even_if_not_converged=True))
            reached = runs.groupby("run")["score"].mean().reindex(together["run"].to_numpy()).reset_index()
            table = score_forecast(together, reached)
            cover = " / ".join(f"{table[f'inside_{p}'].mean():.2f}" for p in (50, 80, 95))
            width, r_hat = table["width_80"].mean(), fit.verdict.r_hat
            print(f"{name:12s} {variant:24s} {len(table):3d}  {cover}  {width:.4f}    {r_hat:.3f}", flush=True)


if __name__ == "__main__":
    main()
