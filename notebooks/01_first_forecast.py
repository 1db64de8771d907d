# %% [markdown]
# # A first forecast
#
# You have trained a few small language models and scored them on some benchmarks. A much larger one is planned.
# **What will it score, and how sure can you be?**
#
# This notebook goes from a CSV file to an answer with bands, and then checks the method on a run that it was not
# shown. It needs about a minute.

# %%
import pandas as pd
from IPython.display import Markdown

import bayes_scaling as bs

# Short numbers in tables: 0.278, 1.06e+07
pd.options.display.float_format = lambda x: f"{x:.3f}" if abs(x) < 1e4 else f"{x:.2e}"

# %% [markdown]
# ## 1. Read your runs
#
# One line per score: how large the model was, how long it was trained and on what, which benchmark, and what it
# scored. `runs.csv` is such a table, as someone might keep it by hand: 18 models from Gadre et al. (2024,
# [arXiv 2403.08540](https://arxiv.org/abs/2403.08540)), all trained on about 20 tokens per parameter.

# %%
mine = pd.read_csv("runs.csv")
mine.head(4)

# %% [markdown]
# The columns have their own names, and sizes are written as people write them ("10.6M"). Say once which column is
# which. `metric` has the right name already.

# %%
columns = {
    "model_size": "params",
    "trained_on": "tokens",
    "corpus": "mixture",
    "task": "benchmark",
    "result": "score",
    "questions": "n_items",
    "guessing": "chance",
}
runs = bs.read_runs("runs.csv", columns=columns)
runs[["mixture", "params", "tokens", "flops", "benchmark", "score", "chance"]].head(4)

# %% [markdown]
# Sizes are numbers now, and the compute of each run has been filled in (`flops`: 6 × parameters × tokens).
#
# A table that cannot be true is refused before anything is computed. Say that a score was typed in percent:

# %%
typo = mine.copy()
typo.loc[5, "result"] = 25.2
try:
    bs.read_runs(typo, columns=columns)
except ValueError as error:
    print(error)

# %% [markdown]
# Back to the good table. These are the scores of the models trained on C4. Most benchmarks rise with size. Two are
# harder cases, and stay in for that reason: `boolq` goes up and down, and `squad` is near zero until it takes off.

# %%
c4 = runs[runs["mixture"] == "C4"]
scores = c4.pivot_table(index="benchmark", columns="params", values="score")
scores.rename(columns=lambda params: f"{params / 1e9:.2g}B")

# %% [markdown]
# ## 2. Choose a model
#
# A model says how scores follow from size. `bs.list_models()` names those that come with the package. All runs here
# have the same ratio of tokens to parameters, so compute alone describes them. `power_law_discrepancy` is the model that
# is recommended for that. Its card says what it is, and its parameters have meanings:

# %%
model = bs.load_model("power_law_discrepancy")
card = model.card
texts = [card.summary, card.use_when, card.fails_when, *card.references]
Markdown("\n\n".join(text for text in texts if text))

# %%
for name, parameter in model.parameters.items():
    print(f"{name:21}{parameter.meaning}")

# %% [markdown]
# `A` says how hard a benchmark is and `alpha` how fast it yields to compute. The floor is what a model without
# knowledge scores. The last ones say how far scores scatter around the law.
#
# Real curves bend. So `A` may also change slowly with compute: that is the *discrepancy*. How much curves bend is
# learned from the runs, and beyond them it may go on, which widens the bands.
#
# Each benchmark and each training mixture has its own `A` and `alpha`, but they are not learned in isolation: values
# far from those of the others need evidence. That is partial pooling, and it helps where runs are few.

# %% [markdown]
# ## 3. Fit

# %%
fit = bs.fit(model, runs, seed=1, progress=False)
print(fit.verdict)

# %% [markdown]
# The verdict says whether the *computation* can be trusted: independent chains agree (r-hat near 1), there are enough
# effectively independent draws (ESS), and the sampler nowhere lost its way (divergences). It does not say that the
# *law* is right; section 7 is about that.

# %% [markdown]
# ## 4. Forecast
#
# Two larger models, again on 20 tokens per parameter of C4:

# %%
plan = bs.plan_runs(
    params=["13B", "34B"],
    tokens_per_param=20,
    benchmark=list(runs["benchmark"].unique()),
    mixture="C4",
)
ahead = bs.forecast(fit, plan, seed=1)
table = bs.summarise(ahead, probabilities=[0.8], everything=True)

# %%
shown = table[table["benchmark"].isin(["hellaswag", "boolq"])]
shown[["benchmark", "params", "decades_beyond", "interval_for", "mean", "lower_80", "upper_80", "note"]]

# %% [markdown]
# - **`lower_80` and `upper_80`**: given this model, the score lies between them with a probability of 80 %.
# - **expectation**: the law itself, what many such runs would score on average.
# - **new run**: one run, evaluated once. It is wider, because single runs scatter around the law. *Compare this
#   one with what you will measure.*
# - **`decades_beyond`**: how far ahead the forecast reaches; 1 means ten times the compute of your largest run.
# - **`note`**: a reason not to trust the row, if the runs gave one. Take it seriously.

# %% [markdown]
# ## 5. Look at it
#
# Points are your runs, the grey area lies beyond them. The darker band is the expectation, the lighter one a new run.

# %%
bs.plot_law(fit, benchmarks=["hellaswag", "piqa", "squad", "boolq"], ncols=2, reach=1.4, seed=1)

# %% [markdown]
# Which benchmarks yield fastest to compute, and does the training data matter? The exponents, with their intervals:

# %%
bs.plot_exponents(fit)

# %% [markdown]
# ## 6. The average over benchmarks
#
# Often one number counts: the average. Its band is not the average of the bands, because benchmarks seldom all
# disappoint at once. `average_benchmarks` averages draw by draw, which takes that into account. `boolq` is left out,
# since its note says that there is no law to go by.

# %%
lawful = ahead.isel(row=ahead["benchmark"].values != "boolq")
average = bs.summarise(bs.average_benchmarks(lawful), probabilities=[0.8])
average[["benchmark", "params", "interval_for", "mean", "lower_80", "upper_80"]]

# %% [markdown]
# ## 7. Would it have worked?
#
# The honest test: hide the largest model of each mixture, forecast it from the five smaller ones, and compare.

# %%
largest = runs["params"] == runs["params"].max()
small_fit = bs.fit(model, runs[~largest], seed=1, progress=False)
print(small_fit.verdict)
held_out = runs[largest].reset_index(drop=True)
then = bs.forecast(small_fit, held_out, seed=1)
print(f"{float(then['decades_beyond'].max()):.2f} decades of compute beyond the data")

# %%
check = bs.summarise(then, probabilities=[0.8]).query("interval_for == 'new run'").reset_index(drop=True)
check["measured"] = held_out["score"]
check["outcome"] = "inside"
check.loc[check["measured"] < check["lower_80"], "outcome"] = "below"
check.loc[check["measured"] > check["upper_80"], "outcome"] = "above"
inside = (check["outcome"] == "inside").sum()
print(f"{inside} of {len(check)} scores lie inside their 80 % interval; about {0.8 * len(check):.0f} should")
pd.crosstab(check["benchmark"], check["outcome"])

# %%
bs.plot_law(small_fit, later=held_out, reach=1.4, ncols=3, seed=1)

# %% [markdown]
# Stars are what was measured. The bands hold. The worst misses are in `squad`, below its bands: its scores take off only
# at the largest sizes that the fit saw, the law reads that as a trend, and the next size does not follow it.
#
# What did the output say beforehand?

# %%
print("This forecast", then.attrs["law_uncertainty"])
noted = check.loc[check["note"] != "", ["benchmark", "note"]].drop_duplicates()
print(noted.to_string(index=False, header=False))

# %% [markdown]
# So it warned of `boolq`, whose bands are wide for the same reason, and of benchmarks that have only just left their
# floor, where most misses are. Take a note seriously: it does not widen a band.
#
# Benchmarks leave a law together, so an error that they share does not average out. The band of the average, here
# without `boolq`, knows that, and holds all three measured averages, although each lies in its lower half:

# %%
lawful = then.isel(row=then["benchmark"].values != "boolq")
mean = bs.summarise(bs.average_benchmarks(lawful), probabilities=[0.8]).query("interval_for == 'new run'")
measured = held_out[held_out["benchmark"] != "boolq"].groupby("mixture")["score"].mean()
mean.assign(measured=mean["mixture"].map(measured))[["mixture", "mean", "lower_80", "upper_80", "measured"]]

# %% [markdown]
# Read your own forecasts with that in mind: trust them less with every decade, distrust benchmarks that have only
# just begun to move, and hide your largest run once before you believe a number for the next one.

# %% [markdown]
# ## 8. Keep the fit
#
# One file holds the model, the runs and all draws. Loaded again, it gives the same forecast.

# %%
fit.save("first_forecast.nc", overwrite=True)
again = bs.Fit.load("first_forecast.nc")
print(again)
bs.forecast(again, plan, seed=1).equals(ahead)
