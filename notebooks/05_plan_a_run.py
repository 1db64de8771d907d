# %% [markdown]
# # Plan a run
#
# Fifteen small models were trained on three mixtures (Gadre et al. 2024). A larger one is to come, with some thirty times
# the compute of the largest. On which mixture? What will it score, and what would a target cost? How large should it be?
# And which small run would make the answer surer? The notebook needs about two minutes.

# %%
import pandas as pd

import bayes_scaling as bs

pd.options.display.float_format = "{:.3g}".format
runs = bs.load_dataset("gadre2024")
tests = ["arc_easy", "hellaswag", "piqa", "lambada_openai", "winograd", "coqa"]
runs = runs[runs["benchmark"].isin(tests) & (runs["params"] < 5e9)]
small = runs[runs["tokens_per_param"] == 20]
small.groupby("mixture")["run"].nunique()

# %% [markdown]
# ## 1. Which mixture?
#
# `power_law_mixtures` is the law for differences between mixtures: they share what a benchmark's curve does beyond the
# runs, so that a difference is far better known than either score.

# %%
fit = bs.fit("power_law_mixtures", small, seed=1, progress=False)
ranking = bs.rank(fit, "7e21", seed=1)
print(fit.verdict)
bs.summarise_ranking(ranking)

# %%
bs.plot_ranking(ranking)

# %% [markdown]
# How large a difference can these runs show at all, and on which benchmark do mixtures differ most beside the noise?

# %%
ranking[["detectable", "signal_to_noise"]].to_dataframe()

# %% [markdown]
# ## 2. What will it score, and what does a target cost?
#
# The compute that suffices is a distribution. `never` is the probability that no compute within four decades does.

# %%
fit = bs.fit("power_law_discrepancy", small, seed=1, progress=False)
found = bs.compute_for(fit, 0.7, mixture="RefinedWeb", seed=1)
bs.summarise_compute(found)[["benchmark", "lower_80", "enough_50", "enough_90", "never"]]

# %%
bs.plot_compute_for(found)

# %% [markdown]
# What ten times the compute buys on each benchmark, from where the runs end:

# %%
bs.elasticity(fit, "2e20", mixture="RefinedWeb", seed=1)

# %% [markdown]
# ## 3. Which run should come next?
#
# Candidates are runs between the largest fitted one and the plan. `share` is the part of the variance of the forecast
# that would be left.

# %%
goal = bs.plan_runs(flops="7e21", benchmark="hellaswag", mixture="RefinedWeb")
candidates = bs.plan_runs(flops=["3e19", "3e20", "1e21"], benchmark=tests, mixture=["C4", "RefinedWeb"])
chosen = bs.next_runs(fit, candidates, goal, number=4, seed=1)
chosen

# %%
bs.plot_next_runs(chosen)

# %% [markdown]
# ## 4. How large, on how many tokens?
#
# This needs runs of several ratios of tokens to parameters, and a law that reads both. The model will also be used: a
# trillion tokens of inference count in the budget, and make a smaller model the better choice.

# %%
ratios = runs[runs["benchmark"].isin(["arc_easy", "hellaswag"]) & (runs["mixture"] == "RefinedWeb")]
law = bs.fit("params_tokens_discrepancy", ratios, seed=1, progress=False)
print(law.verdict)
split = bs.allocate(law, "7e21", benchmark="hellaswag", seed=1)
bs.summarise_allocation(split)

# %%
used = bs.allocate(law, "7e21", benchmark="hellaswag", inference_tokens="1T", seed=1)
print(used.attrs["note"] or "within the ratios of the fitted runs")
bs.summarise_allocation(used)
