# %% [markdown]
# # Can it be trusted?
#
# A forecast is worth what its track record is worth. This notebook makes forecasts that **could have been made** from
# small models, puts them beside what larger models then scored, and asks three things: how large are the errors, do the
# bands hold what they promise, and **did the output say beforehand where it would fail?** It needs about two minutes.

# %%
import warnings

import pandas as pd

import bayes_scaling as bs

pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## 1. What to fit and what to forecast
#
# Gadre et al. (2024, [arXiv 2403.08540](https://arxiv.org/abs/2403.08540)) at about 20 tokens per parameter: six sizes
# on three mixtures. Two cuts: four sizes up to 0.4B forecast 1.4B and 6.9B, and five sizes up to 1.4B forecast 6.9B.

# %%
benchmarks = ["hellaswag", "lambada_openai", "arc_easy", "piqa", "coqa", "squad"]
runs = bs.load_dataset("gadre2024")
runs = runs[runs["benchmark"].isin(benchmarks) & runs["tokens_per_param"].between(19, 21.5)]
splits = bs.split_above(runs, "params", ["0.5B", "2B"])
splits

# %% [markdown]
# ## 2. The backtest
#
# Two laws and, beside them, least squares as the authors of the law published it. Every fit sees its split alone.
# Inside `joblib.parallel_config(backend="dask")` the same call runs on a cluster, and with `folder=` it goes on where
# it was interrupted.

# %%
laws = [bs.load_model("power_law"), bs.load_model("power_law_discrepancy")]
with warnings.catch_warnings(record=True) as warned:
    past = bs.backtest(laws, runs, splits, baselines="direct", seed=1, draws=2000, tune=1000, progress=False)
print("\n".join(str(warning.message) for warning in warned) or "no warning: all fits converged")
past.shards[["law", "split", "runs_fitted", "rows_forecast", "decades_beyond", "converged"]]

# %% [markdown]
# ## 3. How large are the errors?
#
# All scores of one run are good or bad at once, and only six runs were forecast. So the intervals come from drawing
# whole *runs* anew, not scores; they are wide, and that is the truth about six runs.

# %%
shown = ["mae", "bias", "crps", "cover_50", "cover_80", "cover_95", "width_80"]
scores = bs.summarise_scores(past.scores, by="law")
scores = scores[scores["score"].isin(shown)]
scores.pivot_table(index="score", columns="law", values=["value", "lower_90", "upper_90"], sort=False).swaplevel(
    axis=1
).sort_index(axis=1, level=0, sort_remaining=False)

# %% [markdown]
# ## 4. Do the bands hold what they promise?
#
# A band of 80 % should hold 80 % of what happened. Below the diagonal a law promises too much. The colours are
# distances: a law that is honest half a decade beyond its runs need not be so at two.

# %%
bs.plot_calibration(past)

# %%
past.summary(["law", "distance"])[["law", "distance", "rows", "bias", "cover_80", "width_80"]]

# %% [markdown]
# ## 5. Read one forecast
#
# The recommended law, from models up to 0.4B: dots were fitted, bars were forecast, stars are what happened.

# %%
bs.plot_backtest(past, law="power_law_discrepancy", split=splits[0].name, ncols=3)

# %% [markdown]
# ## 6. Where it fails, and what the output said beforehand
#
# The largest errors of the recommended law over both cuts, with the `note` that stood in each forecast before anything
# was known:

# %%
own = past.scores[past.scores["law"] == "power_law_discrepancy"]
own = own.assign(mae=own["error"].abs())
groups = own.groupby(["split", "benchmark", "note"], sort=False)[["mae", "width_80", "inside_80", "inside_95"]].mean()
groups.sort_values("mae", ascending=False).head(6)

# %%
failed = past.scores[(past.scores["benchmark"] == "squad") & (past.scores["split"] == splits[1].name)]
failed[["law", "mixture", "decades_beyond", "observed", "error", "width_80", "inside_80", "inside_95"]]

# %% [markdown]
# `squad` is the failure. From models up to 0.4B, where it stood at its floor, the law with a discrepancy gave a band so
# wide that it says "unknown", and that held. From models up to 1.4B it had just begun to rise, steeply, and both laws
# took the rise for the law: the forecast for 6.9B is far too high, and **most outcomes lie outside even the 95 % band**.
# What warned was the note, *has only just left its floor: its exponent rests on few scores*. **A note is a reason to
# leave a benchmark out of a decision.**
#
# ## 7. Lock what you predict
#
# The honest test is a forecast that is written down before the run is made. `lock` writes the draws, the model, and
# hashes of the data into one file and returns its seal; publish the seal, and nobody need take your word for it.

# %%
known = runs[runs["params"] < 2e9]
later = runs[runs["params"] > 5e9].reset_index(drop=True)
fit = bs.fit(bs.load_model("power_law_discrepancy"), known, seed=1, thin=4, progress=False)
ahead = bs.forecast(fit, later.drop(columns="score"), seed=1)
seal = ahead.lock("forecast_of_6.9B.nc")
seal[:16]

# %%
reached = bs.score_locked("forecast_of_6.9B.nc", later, seal=seal)
reached.groupby("benchmark")[["error", "crps", "inside_80", "inside_95"]].mean()

# %% [markdown]
# And how much of that forecast is data, how much prior? `psense` scales both; what is not flagged rests on the runs.

# %%
sensitivity = bs.prior_sensitivity(fit, later, seed=1)
sensitivity.groupby("benchmark")[["prior", "likelihood"]].max().assign(
    diagnosis=sensitivity.groupby("benchmark")["diagnosis"].agg(lambda said: "; ".join(sorted(set(said) - {""})))
)
