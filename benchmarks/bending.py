"""Where `check` says that the exponent seems to rise along the runs, and whether a law that may bend is then better.

    python benchmarks/bending.py [--krajewski FOLDER] [--worlds 200]

First, the share of simulated worlds of `out_of_family.py` with that note.  Then every benchmark of the splits for
laws of compute in `compare_laws.py`, taken alone: where its fitted runs give the note, the recommended law and the
one whose exponent may change are both fitted, and error, bias, CRPS and the coverage of 80 and 90 % intervals of the
larger runs are printed beside each other.  --krajewski takes the folder of the public
tables of arXiv 2512.08894.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import pandas as pd
from compare_laws import scores
from out_of_family import WORLDS, simulated
from splits import compute_splits, krajewski_splits, unchosen_splits

import bayes_scaling as bs
from bayes_scaling.inference.bending import bend
from bayes_scaling.inference.suitability import bent

RECOMMENDED, BENT = "power_law_discrepancy", "curved_power_law_discrepancy"
SHOWN = ["error", "bias", "crps", "cover_80", "cover_90", "width_90"]


def noted(world: str, worlds: int) -> float:
    """Share of simulated worlds with a note."""
    found = [bend(simulated(world, seed)[0]) for seed in range(1, worlds + 1)]
    return sum(one is not None and one.rises for one in found) / worlds


def compared(known: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Scores of the forecasts of each law, one row each."""
    rows = []
    for law in (RECOMMENDED, BENT):
        fit = bs.fit(law, known, seed=1, progress=False)
        ahead = bs.forecast(fit, later, seed=1, even_if_not_converged=True)
        rows.append({"law": law, **scores(ahead, later), "passed": fit.verdict.passed})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--worlds", type=int, default=200)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    for world in WORLDS:
        print(f"{world}: {100 * noted(world, chosen.worlds):.1f} % of {chosen.worlds} worlds with a note", flush=True)
    recommended, tables, looked = bs.load_model(RECOMMENDED), [], 0
    splits = [*compute_splits(), *unchosen_splits()]
    splits += [one for one in krajewski_splits(chosen.krajewski) if one[1] == "compute"] if chosen.krajewski else []
    for name, _, small, large in splits:
        print(f"{name}, all benchmarks: {bent(recommended, small) or 'no note'}")
        for benchmark, known in small.groupby("benchmark"):
            looked += 1
            if not bent(recommended, known):
                continue
            later = large[(large["benchmark"] == benchmark) & large["score"].notna()]
            table, found = compared(known, later), bend(known)
            print(f"\n{name}, {benchmark}: the exponent seems to rise from {found.smallest:.2f} to {found.largest:.2f}")
            print(table[["law", *SHOWN, "passed"]].round(4).to_string(index=False), flush=True)
            tables.append(table)
    lower = sum(table["crps"][1] < table["crps"][0] for table in tables)
    print(f"\n{len(tables)} of {looked} benchmarks with a note; the CRPS of {BENT} is lower on {lower}; means")
    print(pd.concat(tables).groupby("law", sort=False)[SHOWN].mean().round(4).to_string())


if __name__ == "__main__":
    main()
