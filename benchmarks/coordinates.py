"""In which coordinates laws with a discrepancy sample best: three ways side by side, one attempt each.

    python benchmarks/coordinates.py [--krajewski FOLDER] [--only TEXT] [--seed 1]

"curvature" whitens by the curvature at a rough optimum, "trial" by the covariance of a trial run, "low rank" adds
nutpie's low-rank mass matrix to that.  All keep 4 × 1000 draws, as many for one as the law's document says.  Printed
are divergences, r-hat, the smallest effective sample size, leapfrog steps for a kept draw, and the smallest effective
sample size for 1,000 gradients, those of the trial run included.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import nutpie
import pandas as pd
from compare_laws import splits
from convergence import LAWS

import bayes_scaling as bs
from bayes_scaling.inference.attempts import judged
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import Design, lay_out
from bayes_scaling.inference.sampling import Drawn, draw
from bayes_scaling.inference.settings import Settings

WAYS = ("curvature", "trial", "low rank")


def drawn(way: str, design: Design, settings: Settings, seed: int) -> tuple[Drawn, float]:
    """Draws of one way, and the gradients that were spent before them."""
    if way == "curvature":
        return draw(design, settings, seed=seed), 0.0
    assert settings.trial
    trial = draw(design, settings.trial, seed=seed)
    spent = float(trial.stats["n_steps"].sum())
    if way == "trial":
        return draw(design, settings, seed=seed + 100, start=trial.start), spent
    plain = nutpie.sample

    def low_rank(*arguments: object, **options: object) -> object:
        return plain(*arguments, adaptation="low_rank", **options)

    nutpie.sample = low_rank
    try:
        return draw(design, settings, seed=seed + 100, start=trial.start), spent
    finally:
        nutpie.sample = plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for split, kind, known, _ in splits(arguments.krajewski):
        for law in LAWS[kind] if arguments.only in split else ():
            design = lay_out(bs.load_model(law), known.reset_index(drop=True))
            compile_density(design)
            rows = []
            for way in WAYS:
                settings = Settings().of(design.model)
                found, spent = drawn(way, design, settings, arguments.seed)
                verdict, steps = judged(design, found, settings), found.stats["n_steps"]
                ess = min(verdict.ess_bulk, verdict.ess_tail)
                each = 1000 * ess / (float(steps.sum()) + spent)
                rows.append({"way": way, "divergences": verdict.divergences, "r_hat": round(verdict.r_hat, 4),
                             "ess": round(ess), "steps": round(float(np.mean(steps))), "ess/1000": round(each, 2),
                             "passed": verdict.passed})  # fmt: skip
            print(f"\n{split}: {law}\n{pd.DataFrame(rows).to_string(index=False)}", flush=True)


if __name__ == "__main__":
    main()
