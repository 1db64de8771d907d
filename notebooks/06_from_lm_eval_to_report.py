# %% [markdown]
# # From logs of an evaluation to a page for others
#
# Logs of lm-evaluation-harness know scores, and not how a model was trained. A manifest, one row for each model, says
# that. Together they become a table of runs, a forecast, and a page that starts with the answers. The notebook needs
# about a minute.
#
# First some logs, as the tool writes them: scores of fifteen small models of Gadre et al. (2024), one file each.

# %%
import json
from pathlib import Path

import pandas as pd
from IPython.display import Markdown

import bayes_scaling as bs

runs = bs.load_dataset("gadre2024")
runs = runs[runs["benchmark"].isin(["hellaswag", "piqa"]) & (runs["tokens_per_param"] == 20) & (runs["params"] < 5e9)]

# %%
folder = Path("logs")
folder.mkdir()
for run, own in runs.groupby("run"):
    scores = dict(zip(own["benchmark"], own["score"].round(4), strict=True))
    log = {
        "results": {name: {"acc,none": score, "alias": name} for name, score in scores.items()},
        "n-samples": {"hellaswag": {"effective": 10042}, "piqa": {"effective": 1838}},
        "config": {"model": "hf", "model_args": f"pretrained=lab/{run}"},
        "model_name": f"lab/{run}",
    }
    (folder / f"results_{run}.json").write_text(json.dumps(log))

# %% [markdown]
# The manifest. Without it, `collect_logs` says what is missing.

# %%
models = runs.drop_duplicates("run")[["run", "params", "tokens", "mixture"]]
models.assign(model="lab/" + models["run"]).drop(columns="run").to_csv("models.csv", index=False)
collected = bs.collect_logs(folder)
print(collected.missing[0])
collected = bs.collect_logs(folder, manifest="models.csv")
collected.missing, len(collected.left_out)

# %%
table = collected.runs()
table[["run", "params", "tokens", "mixture", "benchmark", "score", "chance", "n_items"]].head()

# %% [markdown]
# From here on it is a table of runs like any other.

# %%
fit = bs.fit("power_law_discrepancy", table, seed=1, progress=False)
print(fit.verdict)
plan = bs.plan_runs(flops="5e21", benchmark=["hellaswag", "piqa"], mixture="RefinedWeb")
answers = [bs.compute_for(fit, 0.75, mixture="RefinedWeb", seed=1)]
bs.plot_law(fit, mixtures="RefinedWeb", reach=1.5)

# %% [markdown]
# The page. `bs.report` gives HTML in one file, with figures, that opens from a mail; here is the same as Markdown.

# %%
Path("report.html").write_text(bs.report(fit, plan, answers=answers, seed=1), encoding="utf-8")
Markdown(bs.report(fit, plan, answers=answers, seed=1, kind="markdown"))

# %% [markdown]
# On the command line the same is
#
# ```sh
# bayes-scaling collect logs --manifest models.csv --out runs.csv
# bayes-scaling fit runs.csv power_law_discrepancy --out fit.nc
# bayes-scaling report fit.nc --flops 5e21 --mixture RefinedWeb --target 0.75 --out report.html
# ```
