"""Whether bands get better when the user's own backtest widens or narrows them.

    python benchmarks/recalibration.py [--krajewski FOLDER] [--only TEXT] [--folder KEPT]

For every split of `compare_laws.py`, the recommended law is fitted to the smaller runs and backtested on them alone, at
two cuts.  `recalibrate` learns a factor from that backtest, and the forecast of the larger runs is scored with and
without it: CRPS, share of scores inside the bands, and their width.  Beside them stand the intervals of `conformal`,
which rest on the errors of that backtest alone.  The same is done for the averages of runs over benchmarks.  KEPT keeps
the fits of the backtests, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import pandas as pd
import xarray as xr
from compare_laws import splits

import bayes_scaling as bs
from bayes_scaling.errors import DataError, DataWarning, ScalingError, ScalingWarning

LAWS = {"compute": "power_law_discrepancy", "size": "params_tokens_discrepancy"}


def judged(
    law: str, known: pd.DataFrame, later: pd.DataFrame, folder: Path | None
) -> dict[str, list[dict[str, object]]]:  # fmt: skip
    """Scores of one forecast as it is, recalibrated, and of conformal intervals: of single scores, and of averages."""
    fit = bs.fit(law, known, seed=1, attempts=1, progress=False)
    ahead = bs.forecast(fit, later, seed=1, even_if_not_converged=True)
    past = bs.backtest(law, known, seed=1, draws=500, attempts=1, progress=False, folder=folder)
    together = bs.average_benchmarks(ahead)
    reached = later.groupby("run", sort=False)["score"].mean().reindex(together["run"].to_numpy()).reset_index()
    found = {"single scores": compared(ahead, past, later)}
    try:
        return found | {"averages over benchmarks": compared(together, past, reached)}
    except DataError:  # runs do not all have the same benchmarks
        return found


def compared(ahead: xr.Dataset, past: bs.Backtest, later: pd.DataFrame) -> list[dict[str, object]]:
    """One row for each kind of bands."""
    changed = bs.recalibrate(ahead, past)
    told = json.loads(changed.attrs["recalibration"])
    rows = []
    for name, forecast in (("as it is", ahead), ("recalibrated", changed)):
        scores = bs.score_forecast(forecast, later, probabilities=(0.5, 0.8, 0.9))
        row = {"bands": name} | {
            c: scores[c].mean() for c in ("crps", "inside_50", "inside_80", "inside_90", "width_80", "width_90")
        }
        rows.append(row | (told if forecast is changed else {}))
    return [*rows, {"bands": "conformal", **held(ahead, past, later)}]


def held(ahead: xr.Dataset, past: bs.Backtest, later: pd.DataFrame) -> dict[str, float]:
    """How often conformal intervals hold the scores, as far as the backtest has runs enough, and how wide they are."""
    runs, score, told = past.scores["run"].nunique(), later["score"].to_numpy(), {}
    for p in (p for p in (50, 80, 90) if runs >= p / (100 - p)):
        table = bs.conformal(ahead, past, probabilities=p / 100)
        low, high = (table[f"{end}_{p}"].to_numpy() for end in ("lower", "upper"))
        told |= {f"inside_{p}": ((low <= score) & (score <= high)).mean(), f"width_{p}": (high - low).mean()}
    told.pop("width_50", None)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    for category in (ScalingWarning, DataWarning):
        warnings.simplefilter("ignore", category)
    for split, kind, known, later in splits(arguments.krajewski):
        if arguments.only not in split:
            continue
        print(f"\n{split}", flush=True)
        try:
            found = judged(LAWS[kind], known, later, arguments.folder)
        except ScalingError as error:
            print(f"  {error}")
            continue
        for what, rows in found.items():
            told = rows[1]
            table = pd.DataFrame(rows).drop(columns=["factor", "sizes", "runs", "rows", "crps_change"])
            print(f"{what}\n{table.round(4).to_string(index=False)}")
            print(f"  factors by decades beyond {told['factor']}, from {told['runs']} runs of {told['sizes']} sizes; "
                  f"CRPS on splits that a factor was not learned from: {told['crps_change']}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
