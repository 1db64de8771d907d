"""Do bands of single scores, of averages over benchmarks, and of differences between mixtures hold together?

    python benchmarks/shared_discrepancy.py [--krajewski FOLDER] [--worlds 6] [--only TEXT] [--forms NAME ...]
                                             [--draws 1000] [--out table.csv]

Four ways to say how the truth leaves a law are fitted to the splits of `compare_laws.py`, to two neighbouring sizes
with the next one held out, and to simulated worlds of twelve mixtures at two sizes, whose benchmarks are sigmoids:

- "registered": curves for every benchmark and for every benchmark on a mixture; their paths beyond the runs correlate
  between benchmarks by one half;
- "wide prior": the same with the prior on how far curves wander that the laws had before, of median .1 and within a
  factor of 3 in place of .07 and 1.8;
- "shared": a curve for all runs and one for every mixture as well, in place of the correlation, so that data say how
  much is shared; the variance of a single score is that of "registered";
- "none": no discrepancy.

Printed are the coverage of 80 and 90 % intervals of a new run and the CRPS, for single scores, for the average of each
run over its benchmarks, and for differences between two mixtures on one benchmark at equal size.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import scoringrules
from compare_laws import splits
from splits import gadre, krajewski

import bayes_scaling as bs
from bayes_scaling.errors import DataWarning, ScalingWarning
from bayes_scaling.models import effects
from bayes_scaling.models.documents import from_document, to_document

BASE = {"compute": "power_law_discrepancy", "size": "params_tokens_discrepancy"}
FORMS = {
    "registered": (None, effects.WANDERING_SCALE),  # as in its document
    "wide prior": ({"benchmark": 0.1, "benchmark:mixture": 0.1}, effects.SPREAD_SCALE),
    "shared": (dict.fromkeys(("all", "benchmark", "mixture", "benchmark:mixture"), 0.05), effects.WANDERING_SCALE),
    "none": ({}, effects.WANDERING_SCALE),
}
MIXTURES, BENCHMARKS = 12, 6
SIZES = (4e8, 1.4e9, 6.9e9)  # two to fit, one to forecast, each on 20 tokens a parameter


def fitted(kind: str, form: str, known: pd.DataFrame, draws: int) -> bs.Fit:
    """Fit the recommended law with other curves, and another prior on how far they wander."""
    groups, effects.WANDERING_SCALE = FORMS[form]
    document = to_document(bs.load_model(BASE[kind]))
    if groups is not None:
        document["discrepancy"] = {"A": groups} if groups else {}
    return bs.fit(from_document(document), known, seed=1, draws=draws, attempts=1, progress=False)


def world(seed: int) -> tuple[str, str, pd.DataFrame, pd.DataFrame]:
    """Scores that are sigmoids of log compute, one for each benchmark; a mixture is worth a multiple of compute."""
    rng = np.random.default_rng(seed)
    middle, slope = rng.uniform(20.5, 22.5, BENCHMARKS), rng.uniform(1.2, 2.2, BENCHMARKS)
    worth = rng.normal(0, 0.12, MIXTURES) + rng.normal(0, 0.06, (BENCHMARKS, MIXTURES))
    rows = []
    for (b, m), params in itertools.product(np.ndindex(BENCHMARKS, MIXTURES), SIZES):
        flops = 6 * 20 * params**2
        truth = 0.25 + 0.7 / (1 + np.exp(-slope[b] * (np.log10(flops) + worth[b, m] - middle[b])))
        score = np.clip(truth + 0.008 * rng.normal(), 0.01, 0.99)
        labels = {"benchmark": f"b{b}", "mixture": f"m{m:02}", "run": f"m{m:02} {params:.2g}"}
        rows.append(labels | {"params": params, "tokens": 20 * params, "score": score})
    runs = bs.read_runs(pd.DataFrame(rows).assign(chance=0.25, n_items=2000, metric="accuracy"))
    return f"world {seed}", "compute", runs[runs["params"] < 5e9], runs[runs["params"] > 5e9]


def two_sizes(folder: Path | None) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Two neighbouring sizes to fit and the next to forecast, at 20 tokens a parameter."""
    tables = {"gadre2024": (gadre(at_20=True), 1)}
    if folder is not None:
        runs = krajewski(folder)
        tables["krajewski2025"] = runs[runs["tokens_per_param"] == 20], 7  # every seventh: .7 to .9 decades apart
    for data, (runs, step) in tables.items():
        mixtures = runs.groupby("flops")["mixture"].nunique()
        sizes = np.sort(mixtures.index[mixtures == mixtures.max()])[::-step][::-1]
        for low, high, ahead in zip(sizes, sizes[1:], sizes[2:], strict=False):
            known = runs[runs["flops"].isin((low, high))]
            yield f"{data}, two sizes → {ahead:.0e}", "compute", known, runs[runs["flops"] == ahead]


def tasks(folder: Path | None, worlds: int) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Splits of real data whose benchmarks are those of `compare_laws.py`, then worlds."""
    for split in splits(folder):
        if "other benchmarks" not in split[0]:
            yield split
    yield from two_sizes(folder)
    yield from (world(seed) for seed in range(1, worlds + 1))


def judged(what: str, drawn: np.ndarray, observed: np.ndarray) -> pd.DataFrame:
    """Whether intervals of (thing, draw) hold what was observed."""
    found = {"what": what, "error": abs(drawn.mean(1) - observed), "crps": scoringrules.crps_ensemble(observed, drawn)}
    for p in (0.8, 0.9):
        low, high = np.quantile(drawn, [(1 - p) / 2, (1 + p) / 2], axis=1)
        found |= {f"cover_{100 * p:g}": (low <= observed) & (observed <= high), f"width_{100 * p:g}": high - low}
    return pd.DataFrame(found)


def three(drawn: np.ndarray, later: pd.DataFrame) -> pd.DataFrame:
    """Judge single scores (row, draw), averages of runs, and differences between mixtures."""
    later, observed = later.reset_index(drop=True), later["score"].to_numpy()
    tables = [judged("scores", drawn, observed)]
    runs = [rows.index for _, rows in later.groupby("run") if len(rows) > 1]
    tables.append(judged("averages", *(np.stack([v[rows].mean(0) for rows in runs]) for v in (drawn, observed))))
    size = later[["params", "tokens"]].map("{:.1e}".format)
    alike = later.groupby([later["benchmark"], size["params"], size["tokens"]])
    pairs = [pair for _, rows in alike for pair in itertools.combinations(rows.index, 2)]
    pairs = [(i, j) for i, j in pairs if later.loc[i, "mixture"] != later.loc[j, "mixture"]]
    if pairs:
        one, other = np.array(pairs).T
        tables.append(judged("differences", drawn[one] - drawn[other], observed[one] - observed[other]))
    return pd.concat(tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--worlds", type=int, default=6)
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    parser.add_argument("--forms", nargs="+", default=list(FORMS), choices=list(FORMS))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    for category in (ScalingWarning, DataWarning):
        warnings.simplefilter("ignore", category)
    found = []
    for name, kind, known, later in tasks(chosen.krajewski, chosen.worlds):
        for form in chosen.forms if chosen.only in name else ():
            start = time.perf_counter()
            fit = fitted(kind, form, known, chosen.draws)
            ahead = bs.forecast(fit, later, seed=1, even_if_not_converged=True)
            drawn = ahead["accuracy"].transpose("row", ...).to_numpy().reshape(len(later), -1)
            own = three(drawn, later).assign(split=name, form=form)
            found.append(own)
            print(f"\n{name}, {form}: {fit.verdict}, {time.perf_counter() - start:.0f} s")
            print(own.groupby("what", sort=False).mean(numeric_only=True).round(4).to_string(), flush=True)
    if not found:
        parser.error(f"no split whose name contains {chosen.only!r}")
    table = pd.concat(found)
    table["data"] = table["split"].str.split().str[0]
    counted = table.groupby(["data", "what", "form"], sort=False)
    print("\n" + counted.mean(numeric_only=True).round(4).assign(number=counted.size()).to_string())
    if chosen.out:
        table.to_csv(chosen.out, index=False)


if __name__ == "__main__":
    main()
