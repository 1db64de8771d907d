"""Compose ``runs.csv`` from tables of the runs that allenai/OLMo-ladder published (see dataset.toml).

    python datasets/olmo_ladder/compose.py FOLDER

FOLDER holds three tables taken from that repository at the commit in the card, src/scripts/paper/data:
``runs.csv``, ``losses.csv`` and ``evals.csv``, each from the last row of a run's log. The result does not
depend on the machine.
"""

import sys
from pathlib import Path

import pandas as pd

BESIDE_SCORES = "c4_en"
METRICS = {"acc_rc_5shot": "accuracy", "acc_rc_5shot_len_norm": "accuracy_norm"}
CHANCE = {"socialiqa_val": 1 / 3}  # the source rounds
COLUMNS = [
    "run", "family", "mixture", "params", "tokens", "flops", "benchmark", "metric", "score", "n_correct",
    "n_items", "chance", "loss", "val_set", "seed", "step", "is_target", "tokens_per_param", "bpb",
]  # fmt: skip


def compose(folder: Path) -> pd.DataFrame:
    """Join runs, scores and losses into one table in this project's columns."""
    runs, evals, losses = (pd.read_csv(folder / f"{name}.csv") for name in ("runs", "evals", "losses"))
    about = runs.drop(columns=["val_loss", "val_set"])
    about = about.assign(step=about["step"].astype("Int64"), tokens_per_param=about["tokens_per_param"].round(2))
    scores = about.merge(scored(evals)).merge(losses[losses["val_set"] == BESIDE_SCORES])
    others = about.merge(losses[losses["val_set"] != BESIDE_SCORES])
    table = pd.concat([scores, others], ignore_index=True).rename(columns={"run_id": "run"})
    return table[COLUMNS]


def scored(evals: pd.DataFrame) -> pd.DataFrame:
    """Name the kind of each score; those normalised by the length of the answer are so named."""
    columns = ["run_id", "benchmark", "metric", "accuracy", "n_items", "n_correct", "chance", "bpb"]
    return (
        evals[columns]
        .assign(
            metric=evals["metric"].map(METRICS),
            score=evals["accuracy"],
            chance=evals["benchmark"].map(CHANCE).fillna(evals["chance"]),
            n_items=evals["n_items"].astype("Int64"),
            n_correct=evals["n_correct"].astype("Int64"),
        )
        .drop(columns="accuracy")
    )


if __name__ == "__main__":
    compose(Path(sys.argv[1])).to_csv(Path(__file__).with_name("runs.csv"), index=False, lineterminator="\n")
