"""Do the bands hold: coverage by distance, over all cuts of the data, for the recommended laws and their plain forms.

    python benchmarks/track_record.py [--krajewski FOLDER] [--attempts 2] [--folder KEPT]
                                       [--picture calibration.png]

Backtests along compute, with `bs.backtest`: every law is fitted below each cut and scored above it, beside least
squares as published.  Prints error, CRPS and the coverage of 50, 80, 90 and 95 % intervals of a new run by decades of
compute beyond the fitted runs, with 90 % intervals from a bootstrap over runs; then the same for the average of every
run over its benchmarks, and how much the standardised errors of its benchmarks go together.  FOLDER holds runs.csv
and evals.csv, the public tables of arXiv 2512.08894; KEPT keeps finished fits, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from scipy.stats import norm
from splits import gadre, krajewski, olmo

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.models.model import Model

OF_COMPUTE = ("power_law", "power_law_discrepancy")
OF_SIZE = ("params_tokens", "params_tokens_discrepancy")
SHOWN = ("mae", "bias", "crps", "cover_50", "cover_80", "cover_90", "cover_95", "width_80")


def tasks(folder: Path | None) -> Iterator[tuple[str, list[Model], pd.DataFrame, list[bs.Split]]]:
    """Data, laws, runs and cuts."""
    runs, of_compute = gadre(at_20=True), [bs.load_model(name) for name in OF_COMPUTE]
    yield "gadre2024", of_compute, runs, bs.split_above(runs, "params", [5e8, 2e9])
    ladder, of_size = olmo(), [bs.load_model(name) for name in OF_SIZE]
    yield "olmo_ladder", of_size, ladder, bs.split_above(ladder, "params", [5e8, 1e9, 2e9])
    if folder is not None:
        runs = krajewski(folder)
        runs = runs[runs["tokens_per_param"] == 20].reset_index(drop=True)
        yield "krajewski2025", of_compute, runs, bs.split_above(runs, "flops", [2e20, 6e20, 2e21])


def wide(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """One row a group, with the bootstrap interval of the coverage of 80 %."""
    table = bs.summarise_scores(scores, by=by)
    out = table.pivot_table(index=[*by, "runs", "rows"], columns="score", values="value", sort=False)[list(SHOWN)]
    sure = table[table["score"] == "cover_80"].set_index([*by, "runs", "rows"])[["lower_90", "upper_90"]]
    return out.round(4).join(sure.round(2).add_prefix("cover_80_")).reset_index()


def averages(past: bs.Backtest) -> pd.DataFrame:
    """Scores of the forecast average over benchmarks of every run, one row per law, split and run."""
    found = []
    for (law, split), ahead in past.forecasts.items():
        rows = past.scores[(past.scores["law"] == law) & (past.scores["split"] == split)]
        together = bs.average_benchmarks(ahead)
        reached = rows.groupby("run")["observed"].mean().reindex(together["run"].to_numpy()).rename("score")
        scores = bs.score_forecast(together, reached.reset_index(), probabilities=(0.5, 0.8, 0.9, 0.95))
        found.append(scores.assign(law=law, split=split))
    return pd.concat(found, ignore_index=True)


def together(scores: pd.DataFrame) -> float:
    """Mean correlation between the standardised errors of one run on two benchmarks, by the PIT."""
    z = pd.Series(norm.ppf(scores["pit"].clip(0.001, 0.999)), scores.index)
    groups = z.groupby([scores["law"], scores["data"], scores["split"], scores["run"]])
    count = groups.transform("size")
    pairs = (z * groups.transform("sum") - z**2).sum() / (count - 1).sum()
    return float(pairs / (z**2).mean())


def alike(scores: pd.DataFrame) -> pd.DataFrame:
    """Count laws of parameters and tokens as those of compute."""
    return scores.assign(law=scores["law"].replace(dict(zip(OF_SIZE, OF_COMPUTE, strict=True))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--attempts", type=int, default=2, help="of a fit that fails its verdict")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ScalingWarning)
    every, of_averages = [], []
    for data, models, runs, splits in tasks(arguments.krajewski):
        told = {"draws": arguments.draws, "attempts": arguments.attempts, "folder": arguments.folder}
        past = bs.backtest(models, runs, splits, baselines="direct", seed=1, **told)
        failed = past.shards[~past.shards["converged"].astype(bool)]
        print(f"\n{data}: {len(failed)} of {len(past.shards)} fits did not converge")
        print(wide(past.scores, ["law"]).to_string(index=False), flush=True)
        every.append(past.scores.assign(data=data))
        of_averages.append(averages(past).assign(data=data))
    scores, of_averages = (alike(pd.concat(tables, ignore_index=True)) for tables in (every, of_averages))
    print("\nAll data; laws of parameters and tokens count as those of compute")
    print(wide(scores, ["law", "distance"]).to_string(index=False))
    print("\nAverages of every run over its benchmarks")
    print(wide(of_averages, ["law", "distance"]).to_string(index=False))
    print("\nCorrelation between the standardised errors of one run on two benchmarks")
    for (law, data), rows in scores.groupby(["law", "data"]):
        print(f"  {law}, {data}: {together(rows[rows['decades_beyond'] > 0]):.2f}")
    if arguments.picture:
        bs.plot_calibration(scores).savefig(arguments.picture, dpi=150)


if __name__ == "__main__":
    main()
