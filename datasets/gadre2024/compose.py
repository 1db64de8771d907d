"""Compose ``runs.csv`` from tables of the runs that mlfoundations/scaling published (see dataset.toml).

    python datasets/gadre2024/compose.py FOLDER

FOLDER holds four tables taken from that repository at the commit in the card: ``runs.csv`` and
``losses.csv`` (from exp_data/models), ``evals.csv`` (from exp_data/evals) and ``benchmarks.csv``
(from exp_data/eval_metadata.csv). The result does not depend on the machine.
"""

import sys
from pathlib import Path

import pandas as pd

BESIDE_SCORES = "c4_val"
# commonsense_qa has five choices. The source's metadata imply 0.25; the models that settle on one letter
# score 239 of 1221 = 0.1957, the share of one letter in five.
CHANCE = {"commonsense_qa": 0.2}
# The source's metadata repeat the 2376 items of arc_easy; all 104 scores are multiples of 1/1172.
N_ITEMS = {"arc_challenge": 1172}
COLUMNS = [
    "run", "family", "mixture", "params", "tokens", "benchmark", "metric", "score", "n_correct", "n_items",
    "chance", "loss", "val_set", "tokens_per_param",
]  # fmt: skip


def compose(folder: Path) -> pd.DataFrame:
    """Join runs, scores and losses into one table in this project's columns."""
    runs, evals, losses, tests = (
        pd.read_csv(folder / f"{name}.csv") for name in ("runs", "evals", "losses", "benchmarks")
    )
    runs = runs.drop(columns="tokens_per_param").rename(columns={"nominal_tokens_per_param": "tokens_per_param"})
    about = runs[["run_id", "family", "mixture", "params", "tokens", "tokens_per_param"]]
    losses = losses[["run_id", "val_set", "loss"]]
    scores = about.merge(scored(evals, tests)).merge(losses[losses["val_set"] == BESIDE_SCORES])
    others = about.merge(losses[losses["val_set"] != BESIDE_SCORES])
    return pd.concat([scores, others], ignore_index=True).rename(columns={"run_id": "run"})[COLUMNS]


def scored(evals: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Name the kind of each score; a mean over subtasks counts no items."""
    macro = evals["benchmark"].isin(tests.loc[tests["macro_average"] == 1, "benchmark"])
    name = evals["benchmark"]
    return evals.assign(
        metric=evals["metric"].replace({"acc": "accuracy"}).mask(macro, "macro_accuracy"),
        score=evals["accuracy"],
        chance=name.map(CHANCE).fillna(evals["chance"]),
        n_items=name.map(N_ITEMS).fillna(evals["n_items"]).mask(macro).astype("Int64"),
        n_correct=evals["n_correct"].mask(macro).astype("Int64"),
    ).drop(columns="accuracy")


if __name__ == "__main__":
    compose(Path(sys.argv[1])).to_csv(Path(__file__).with_name("runs.csv"), index=False, lineterminator="\n")
