"""What pooling is for: few runs of every benchmark, and a new mixture of which there are three.

    python benchmarks/pooling.py [--folder FOLDER] [--krajewski FOLDER] [--only TEXT] [--thinnings 1] [--out scores.csv]

Fits thinned data and forecasts the larger runs, with the registered laws under partial pooling, without pooling
and with complete pooling, one attempt a fit.  Where there are several mixtures, "mixtures alike" leaves out what
differs between them, which is a fairer rival than complete pooling over benchmarks that have little in common.
Beside them stands least squares as published (Krajewski et al. 2025, Eqs. 2 and 4), which pools nothing.

With --folder finished fits are kept there, so that the same command goes on where it was stopped.
--krajewski takes the folder of runs.csv and evals.csv, the public tables of arXiv 2512.08894.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from splits import gadre, krajewski, olmo_published

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.evaluation.row_masks import Split
from bayes_scaling.evaluation.scores import resampled, summarise_scores
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model

FEW = (4, 5, 6)  # runs of each benchmark
NEW = 3  # runs of a new mixture
BETWEEN = " · "  # stands between the names of a law and of its pooling
ALIKE = "mixtures alike"
PLACES = {  # which three of a mixture's small runs, in order of compute
    "smallest": lambda n: np.arange(NEW),
    "largest": lambda n: np.arange(n - NEW, n),
    "spread out": lambda n: np.linspace(0, n - 1, NEW).astype(int),
}
POOLINGS = ("partial", "none", "complete", f"partial, {ALIKE}", f"none, {ALIKE}")
LEAST_SQUARES = "least squares"
SHOWN = {"mae": "mae", "cover_80": "80 %", "cover_95": "95 %", "width_80": "width 80"}


@dataclass(frozen=True)
class Case:
    """A table of runs, how it is thinned, and what is fitted to it."""

    data: str
    design: str
    runs: pd.DataFrame
    splits: tuple[Split, ...]
    laws: tuple[str, ...] = ("power_law", "power_law_discrepancy")
    published: str = "direct"

    def models(self) -> list[Model]:
        """Every law under every pooling that differs from the others on these splits."""
        several = any(self.runs["mixture"][split.fitted].nunique() > 1 for split in self.splits)
        return [pooled(law, p) for law in self.laws for p in POOLINGS if several or ALIKE not in p]


def pooled(law: str, pooling: str) -> Model:
    """A registered law under another pooling; nothing else about it changes."""
    document = to_document(bs.load_model(law))
    kind, _, alike = pooling.partition(", ")
    if alike:
        document |= {what: _without_mixtures(document[what]) for what in ("varies", "discrepancy")}
    return from_document(document | {"name": f"{law}{BETWEEN}{pooling}", "pooling": kind})


def _without_mixtures(table: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    kept = {name: {g: s for g, s in groups.items() if "mixture" not in g.split(":")} for name, groups in table.items()}
    return {name: groups for name, groups in kept.items() if groups}


def few_runs(runs: pd.DataFrame, small: np.ndarray, n: int, *, same: bool, seed: int) -> np.ndarray:
    """Rows of n small runs of every benchmark: the same for all, or drawn anew for each benchmark."""
    rng = np.random.default_rng(seed)
    if same:
        return small & runs["run"].isin(ladder(runs[small], n, rng)).to_numpy()
    kept = np.zeros(len(runs), bool)
    for benchmark in sorted(runs["benchmark"].unique()):
        own = small & (runs["benchmark"] == benchmark).to_numpy()
        kept |= own & runs["run"].isin(ladder(runs[own], n, rng)).to_numpy()
    return kept


def ladder(runs: pd.DataFrame, n: int, rng: np.random.Generator) -> set[str]:
    """A run at random of each of n slices of compute, such that no mixture has two runs more than another."""
    table = runs.drop_duplicates("run")
    while True:
        ordered = table.iloc[rng.permutation(len(table))].sort_values("flops", kind="stable")
        picked = [int(rng.choice(part)) for part in np.array_split(np.arange(len(ordered)), n)]
        counts = ordered["mixture"].iloc[picked].value_counts().reindex(table["mixture"].unique(), fill_value=0)
        if counts.max() - counts.min() <= 1:
            return set(ordered["run"].iloc[picked])


def few(runs: pd.DataFrame, small: np.ndarray, cut: str, thinnings: int) -> Iterator[Split]:
    """Few runs of every benchmark below a cut; the larger ones to forecast."""
    available = runs[small].groupby("benchmark")["run"].nunique().min()
    for n in (n for n in FEW if n <= available):
        for same in (True, False)[: 1 if n == available else 2]:
            whose = "the same for all" if same else "each benchmark its own"
            for seed in range(1 if n == available else thinnings):
                fitted = few_runs(runs, small, n, same=same, seed=seed)
                yield Split(f"{n} runs {cut}, {whose}, {seed + 1}", fitted, ~small)


def few_of_each(runs: pd.DataFrame, small: np.ndarray, cut: str, thinnings: int) -> Iterator[Split]:
    """The same on one mixture alone, for every mixture."""
    for mixture in sorted(runs["mixture"].unique()):
        own = (runs["mixture"] == mixture).to_numpy()
        for split in few(runs[own], small[own], cut, thinnings):
            masks = np.zeros((2, len(runs)), bool)
            masks[:, own] = split.fitted, split.held_out
            yield Split(f"{split.name}, {mixture}", *masks)


def new_mixture(runs: pd.DataFrame, small: np.ndarray, mixture: str, which: str, *, beside_larger: bool) -> Split:
    """Three small runs of one mixture, beside the small or all runs of the others; its larger runs to forecast."""
    own = (runs["mixture"] == mixture).to_numpy()
    ladder = runs[own & small].drop_duplicates("run").sort_values("flops")["run"].to_numpy()
    three = runs["run"].isin(ladder[PLACES[which](len(ladder))]).to_numpy()
    name = f"{mixture}: its {NEW} {which}, beside {'all' if beside_larger else 'small'} runs of others"
    return Split(name, (own & three) | (~own & (small | beside_larger)), own & ~small)


def new(runs: pd.DataFrame, small: np.ndarray, whiches: tuple[str, ...]) -> Iterator[Split]:
    """Each mixture as the new one, known from three runs."""
    for mixture in sorted(runs["mixture"].unique()):
        for which in whiches:
            for beside_larger in (False, True):
                yield new_mixture(runs, small, mixture, which, beside_larger=beside_larger)


def cases(folder: Path | None, thinnings: int) -> Iterator[Case]:
    """Everything that is thinned, the shipped data first."""
    _, _, known, later = olmo_published()
    runs = pd.concat([known, later], ignore_index=True)
    small = np.arange(len(runs)) < len(known)
    splits = tuple(few(runs, small, "≤ 1.3B", thinnings))
    laws = ("params_tokens", "params_tokens_discrepancy")
    yield Case("olmo_ladder", "few runs, one mixture", runs, splits, laws, "params_tokens")
    yield from gadre_cases(thinnings)
    if folder is not None:
        yield from krajewski_cases(folder, thinnings)


def gadre_cases(thinnings: int) -> Iterator[Case]:
    """Of gadre2024 at 20 tokens per parameter, which has three mixtures and six sizes.

    Of the law with discrepancy, one or two runs of each of three mixtures take minutes a fit and do not converge.
    """
    runs = gadre(at_20=True).reset_index(drop=True)
    cuts = {"≤ 0.4B": (runs["params"] < 1e9).to_numpy(), "≤ 1.4B": (runs["params"] < 5e9).to_numpy()}
    one = [split for cut, small in cuts.items() for split in few_of_each(runs, small, cut, thinnings)]
    yield Case("gadre2024", "few runs, one mixture", runs, tuple(one))
    yield Case("gadre2024", "new mixture", runs, tuple(new(runs, cuts["≤ 0.4B"], ("largest",))))
    several = tuple(few(runs, cuts["≤ 1.4B"], "≤ 1.4B", thinnings))
    yield Case("gadre2024", "few runs, three mixtures", runs, several, ("power_law",))


def krajewski_cases(folder: Path, thinnings: int) -> Iterator[Case]:
    """Of the public tables of arXiv 2512.08894 at 20 tokens per parameter, which have two mixtures and many sizes."""
    runs = krajewski(folder)
    runs = runs[runs["tokens_per_param"] == 20].reset_index(drop=True)
    cut, small = "< 6e20 FLOPs", (runs["flops"] < 6e20).to_numpy()
    yield Case("krajewski2025", "few runs, one mixture", runs, tuple(few_of_each(runs, small, cut, thinnings)))
    yield Case("krajewski2025", "new mixture", runs, tuple(new(runs, small, ("spread out",))))


def scored(case: Case, *, draws: int, folder: Path | None, n_jobs: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores row by row, and the fits behind them, with what each is of."""
    past = bs.backtest(
        case.models(),
        case.runs,
        case.splits,
        baselines=[case.published],
        seed=1,
        draws=draws,
        attempts=1,
        resamples=100,
        folder=folder,
        n_jobs=n_jobs,
    )

    def labelled(table: pd.DataFrame) -> pd.DataFrame:
        law = table["law"].where(table["law"] != case.published, LEAST_SQUARES + BETWEEN + "none")
        parts = law.str.split(BETWEEN, regex=False)
        return table.assign(data=case.data, design=case.design, law=parts.str[0], pooling=parts.str[1])

    return labelled(past.scores), labelled(past.shards)


def compared(scores: pd.DataFrame, shards: pd.DataFrame) -> pd.DataFrame:
    """One row per data set, design, law and pooling: CRPS, and that of partial pooling less this, with 90 % bands.

    The bands are bootstraps over the runs that are forecast; ``wins`` are splits in which partial pooling is better.
    """
    by, keys = ["design", "data", "law", "pooling"], ["split", "run", "benchmark"]
    values = summarise_scores(scores.drop(columns="log_score"), by=by).set_index([*by, "score"])
    rows = []
    for group, part in scores.groupby(by, sort=False):
        label = dict(zip(by, group, strict=True))
        crps = values.loc[(*group, "crps")]
        row = label | {"crps": crps["value"], "from": crps["lower_90"], "to": crps["upper_90"]}
        rivals = scores[(scores["design"] == label["design"]) & (scores["data"] == label["data"])]
        base = rivals[(rivals["pooling"] == "partial") & rivals["law"].isin(_laws_beside(label["law"], rivals))]
        row |= _difference(base.set_index(keys)["crps"], part.set_index(keys)["crps"])
        row |= {title: values.loc[(*group, name), "value"] for name, title in SHOWN.items()}
        fits = shards[(shards[by] == pd.Series(label)).all(axis=1)]
        rows.append(row | {"splits": len(fits), "converged": fits["converged"].mean()})
    return pd.DataFrame(rows)


def _laws_beside(law: str, rivals: pd.DataFrame) -> list[str]:
    """The law itself; beside least squares the first law of the data set, whose formula it has too."""
    return [rivals["law"].iloc[0] if law == LEAST_SQUARES else law]


def _difference(partial: pd.Series, other: pd.Series) -> dict[str, float]:
    """Mean of CRPS of partial pooling less another's, row by row, with a 90 % band from a bootstrap over runs."""
    apart = (partial - other).dropna()
    drawn = resampled(apart.to_numpy()[:, None], apart.index.get_level_values("run").to_numpy(str))[:, 0]
    low, high = np.quantile(drawn, [0.05, 0.95])
    wins = (apart.groupby("split").mean() < 0).sum()
    return {"partial − this": apart.mean(), "least": low, "most": high, "wins": wins}


def by_number(scores: pd.DataFrame) -> pd.DataFrame:
    """CRPS of every law under every pooling by the number of runs that each benchmark was known from."""
    runs = scores["split"].str.extract(r"^(\d+) runs", expand=False)
    index = ["design", "data", "law", "pooling"]
    return scores.assign(runs=runs).pivot_table(index=index, columns="runs", values="crps", sort=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where finished fits are kept")
    parser.add_argument("--krajewski", type=Path, help="folder of runs.csv and evals.csv")
    parser.add_argument("--only", default="", help="splits that have this text in “data set, design: name”")
    parser.add_argument("--thinnings", type=int, default=1, help="of every kind")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=-1, help="fits at the same time")
    parser.add_argument("--out", type=Path, help="table of all scores, row by row")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore", ScalingWarning)
    tables = []
    for case in cases(asked.krajewski, asked.thinnings):
        wanted = tuple(s for s in case.splits if asked.only in f"{case.data}, {case.design}: {s.name}")
        if wanted:
            chosen = replace(case, splits=wanted)
            tables.append(scored(chosen, draws=asked.draws, folder=asked.folder, n_jobs=asked.jobs))
            print("\n" + compared(*tables[-1]).round(4).to_string(index=False), flush=True)
    if not tables:
        parser.error(f"no split contains {asked.only!r}")
    scores, shards = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    if len(numbers := by_number(scores)):
        print("\nCRPS by number of runs of each benchmark\n" + numbers.round(4).to_string())
    if asked.out:
        scores.to_csv(asked.out, index=False)
    for _, fit in shards[shards["problem"].astype(bool)].iterrows():
        print(f"{fit['law']}, {fit['pooling']}, {fit['split']}: {fit['problem']}")


if __name__ == "__main__":
    main()
