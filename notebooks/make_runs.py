"""Make runs.csv, the table of the first notebook: part of the shipped gadre2024 data, as a group might keep it."""

from pathlib import Path

from bayes_scaling import load_dataset
from bayes_scaling.data.sizes import size_text

TASKS = ("arc_easy", "boolq", "copa", "hellaswag", "lambada_openai", "openbook_qa", "piqa", "squad")
NAMES = {
    "params": "model_size",
    "tokens": "trained_on",
    "mixture": "corpus",
    "benchmark": "task",
    "metric": "metric",
    "score": "result",
    "n_items": "questions",
    "chance": "guessing",
}

runs = load_dataset("gadre2024")
runs = runs[runs["benchmark"].isin(TASKS) & runs["tokens_per_param"].eq(20)]
runs = runs.sort_values(["mixture", "params", "benchmark"])[list(NAMES)].rename(columns=NAMES)
for size in ("model_size", "trained_on"):
    runs[size] = runs[size].map(lambda number: size_text(number, 3))
runs["questions"] = runs["questions"].astype(int)
runs["result"] = runs["result"].round(4)
runs.to_csv(Path(__file__).with_name("runs.csv"), index=False)
