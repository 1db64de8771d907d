"""How well losses of larger runs are forecast, and whether their bands hold.

    python benchmarks/losses.py [--krajewski FOLDER] [--scalebench FOLDER] [--only TEXT] [--priors 0.01:0.35,0.03:0.668]
        [--normal]

Losses of smaller runs, all ratios of tokens to parameters, forecast those of larger ones, each validation set by
itself: of gadre2024, of olmo_ladder, of the public tables of arXiv 2512.08894 (--krajewski, a folder with runs.csv) and
of the two tasks of ScaleBench (--scalebench, see `next_runs.py`).  Printed are, for every law and split, the relative
error, the CRPS in percent of the loss, and how many losses lie inside 80, 90 and 95 % bands of a new run; then the same
by data set.  Beside the registered laws stand those with other priors on how far curves wander (as median:log standard
deviation), the one with a discrepancy under normal scatter of the logarithm (--normal), and Eq. 2 of arXiv 2203.15556
by a Huber loss of the logarithm, which has no bands.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import next_runs
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.optimize import minimize
from scoringrules import crps_ensemble

import bayes_scaling as bs
from bayes_scaling.models import effects
from bayes_scaling.models.documents import from_document, to_document

NORMAL = "normal scatter"
LAWS, HUBER, DELTA = ("loss_params_tokens", "loss_params_tokens_discrepancy"), "least squares (Huber)", 1e-3
COLUMNS = ["run", "mixture", "params", "tokens", "flops", "val_set", "loss"]
type Split = tuple[str, str, pd.DataFrame, pd.DataFrame]


def splits(krajewski: Path | None, scalebench: Path | None) -> Iterator[Split]:
    """Data set, name, smaller runs and larger ones."""
    for data, cuts in (
        ("gadre2024", ((1e9, 1e10), (3e8, 2e9), (5e9, 1e10))),
        ("olmo_ladder", ((2e9, 2e10), (1e9, 5e9))),
    ):
        every = bs.load_dataset(data)
        every = every[every["loss"].notna() & (every["params"] > 2e7) & (every["val_set"] != "paloma_c4_en")]
        for val_set, runs in every.drop_duplicates(["run", "val_set"])[COLUMNS].groupby("val_set"):
            for low, high in cuts:
                above = runs["params"].between(low, high)
                yield data, f"{val_set} < {low:.0e}", runs[runs["params"] < low], runs[above]
    if krajewski:
        every = pd.read_csv(krajewski / "runs.csv")
        for val_set in ("c4", "dclm", "fineweb"):
            runs = every.assign(val_set=val_set, loss=every[f"loss_{val_set}"]).dropna(subset="loss")[COLUMNS]
            for limit in (2e20, 6e20, 2e21):
                small = runs["flops"] < limit
                yield "krajewski2025", f"{val_set} < {limit:.0e}", runs[small], runs[~small]
    for task in next_runs.SCALEBENCH if scalebench else ():
        pool, targets = next_runs.task(scalebench, task)
        order, cost = np.random.default_rng(1).permutation(len(pool)), pool["flops"].to_numpy()
        for share in (0.05, 0.1):
            chosen = order[np.cumsum(cost[order]) <= share * cost.sum()]
            cheap = np.argsort(cost)[: np.searchsorted(np.cumsum(np.sort(cost)), share * cost.sum())]
            yield "scalebench", f"{task}, {share:.0%} at random", pool.iloc[chosen], targets
            yield "scalebench", f"{task}, {share:.0%} cheapest", pool.iloc[cheap], targets


def by_huber(known: pd.DataFrame, later: pd.DataFrame) -> np.ndarray:
    """Losses by Hoffmann et al. 2022 (arXiv 2203.15556), Eq. 2, fitted as there, each mixture by itself."""
    out = np.full(len(later), np.nan)
    for mixture, own in known.groupby(known.get("mixture", pd.Series("", known.index))):
        n, d, y = (np.log(own[c].to_numpy()) for c in ("params", "tokens", "loss"))

        def law(p: np.ndarray, n: np.ndarray, d: np.ndarray) -> np.ndarray:
            return np.logaddexp(np.logaddexp(p[0] - p[1] * n, p[2] - p[3] * d), p[4])

        def lost(p: np.ndarray, n: np.ndarray = n, d: np.ndarray = d, y: np.ndarray = y) -> float:
            off = np.abs(law(p, n, d) - y)
            return float(np.where(off < DELTA, off**2 / 2, DELTA * (off - DELTA / 2)).sum() * 1e4)

        starts = [[a, s, b, s, e] for a in (2, 6, 12) for b in (2, 6, 12) for s in (0.2, 0.5) for e in (-1.0, 0.5)]
        best = min((minimize(lost, s, method="L-BFGS-B") for s in starts), key=lambda found: found.fun).x
        rows = (later.get("mixture", pd.Series("", later.index)) == mixture).to_numpy()
        out[rows] = np.exp(law(best, *(np.log(later.loc[rows, c].to_numpy()) for c in ("params", "tokens"))))
    return out


def variants(priors: list[str]) -> Iterator[tuple[str, str, float | None, float]]:
    """What is compared: a name, the law, and median and log standard deviation of the prior of its curves."""
    for law in LAWS:
        yield law, law, None, effects.WANDERING_SCALE
    for one in priors:
        median, scale = one.split(":")
        yield f"wander {one}", LAWS[1], float(median), float(scale)


def outcome(split: Split, variant: tuple[str, str, float | None, float]) -> dict[str, object]:
    """Scores of one forecast."""
    warnings.simplefilter("ignore")
    data, name, known, later = split
    truth, row = later["loss"].to_numpy(), {"data": data, "split": name, "law": variant[0], "runs": len(known)}
    if variant[0] == HUBER:
        point = by_huber(known, later)
        return row | {"losses": len(later), "error %": 100 * np.nanmean(np.abs(point / truth - 1))}
    document, effects.WANDERING_SCALE = to_document(bs.load_model(variant[1])), variant[3]
    if variant[0] == NORMAL:
        document["responses"][0]["likelihood"] = "log_normal"
    if variant[2] is not None:
        document["discrepancy"] = {"loss_at_reference": {"mixture": variant[2]}}
    fit = bs.fit(from_document(document), bs.read_runs(known), seed=1, attempts=1, cores=1, progress=False)
    ahead = bs.forecast(fit, later.drop(columns="loss"), seed=1, even_if_not_converged=True)
    draws = ahead["loss"].stack(draws=("chain", "draw")).transpose("row", "draws").to_numpy()
    mean, crps = ahead["loss_mean"].mean(("chain", "draw")).to_numpy(), crps_ensemble(truth, draws)
    row |= {
        "losses": len(later),
        "error %": 100 * np.abs(mean / truth - 1).mean(),
        "crps %": 100 * (crps / truth).mean(),
    }
    for level in (80, 90, 95):
        low, high = np.percentile(draws, [50 - level / 2, 50 + level / 2], axis=1)
        row[f"cover {level} %"] = 100 * ((low <= truth) & (truth <= high)).mean()
    return row | {"passed": float(fit.verdict.passed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--scalebench", type=Path)
    parser.add_argument("--only", default="", help="part of the name of a data set")
    parser.add_argument("--priors", default="", help="medians and log standard deviations, with commas between them")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--normal", action="store_true", help="normal scatter of the logarithm too")
    chosen = parser.parse_args()
    normal = [(NORMAL, LAWS[1], None, effects.WANDERING_SCALE)] if chosen.normal else []
    forms = [*variants([p for p in chosen.priors.split(",") if p]), *normal, (HUBER, "", None, 0.0)]
    kept = [split for split in splits(chosen.krajewski, chosen.scalebench) if chosen.only in split[0]]
    rows = Parallel(n_jobs=chosen.jobs)(delayed(outcome)(split, form) for split in kept for form in forms)
    table = pd.DataFrame(rows)
    print(table.round(2).to_string(index=False))
    means = table.drop(columns=["split", "runs", "losses"]).groupby(["data", "law"], sort=False).mean()
    print("\nmeans over splits\n" + means.round(2).to_string())


if __name__ == "__main__":
    main()
