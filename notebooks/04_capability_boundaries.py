# %% [markdown]
# # What released models reach
#
# Thousands of models have been released: base models, and many more that others trained further. What score do the best
# of them reach at a given **compute of pre-training**? How fast does that move? Is anything left to gain? And which
# models should one evaluate, if evaluating all of them costs too much?
#
# The board below is simulated, so that the truth is known. `bs.read_leaderboard` reads the table of the Open LLM
# Leaderboard into the same form. The notebook needs about two minutes.

# %%
import numpy as np
import pandas as pd

import bayes_scaling as bs

pd.options.display.float_format = "{:.3g}".format
board = bs.simulated_board(models=900, bases=60, organisations=10, periods=3, rise=0.15, seed=1)
board.head(3)

# %% [markdown]
# ## 1. Fit
#
# One fit describes how scores are spread at every compute: a middle that follows compute, a spread between base models,
# one between organisations, one between models, the noise of a finite number of items, and a walk over periods. Every
# quantile comes from it, so that quantiles never cross.

# %%
fit = bs.fit_boundary(board, seed=1, chains=2, progress=False)
fit

# %% [markdown]
# ## 2. The boundary
#
# The score below which 98 % of models stay, with its uncertainty. Beyond the largest model the bands widen, and a note
# says how far the question lies from the data.

# %%
bs.summarise_boundary(bs.boundary(fit, ["1e23", "1e24", "1e26"], seed=1))

# %%
bs.plot_boundary(fit, seed=1)

# %% [markdown]
# ## 3. Did it move, and is anything left to gain?
#
# The simulated board rises by 0.15 log odds from each period to the next. `saturation` also says what it does not know:
# `learned` is near zero where the asymptote is nothing but its prior.

# %%
bs.moved(fit, "P1", "P3", delta=0.02)

# %%
bs.saturation(fit, epsilon=0.05, seed=1)

# %%
bs.plot_boundary(fit, benchmarks=["benchmark 1"], period="each", seed=1)

# %% [markdown]
# ## 4. Would it have held next quarter?
#
# Each period is fitted by itself, and the boundary is scored on the models of the next one, beside the published
# estimator (arXiv 2602.15327) and simpler ones. `coverage` should be 0.98. On this board it is lower for all methods:
# the board rises, and no method knows beforehand by how much.

# %%
past = bs.next_period(
    board, estimators=["smoothed", "constant", "binned"], seed=1, resamples=100,
    fit=lambda known, seed: bs.fit_boundary(known, seed=seed, chains=2, progress=False),
)  # fmt: skip
past.groupby("method")[["pinball", "coverage", "coverage_error", "crps", "top_decile"]].mean()

# %%
bs.plot_boundary_coverage(past)

# %% [markdown]
# ## 5. Which models to evaluate
#
# A model costs what its size is. With a tenth of the cost of evaluating everything, this plan leaves least unknown.
# More models of one base model soon say nothing new.

# %%
models = board[board["benchmark"] == "benchmark 1"].reset_index(drop=True)
models["params"] = np.sqrt(models["flops"] / 120)
plan = bs.evaluate_next(models, budget=0.1 * models["params"].sum(), seed=1)
plan[["model", "base_model", "flops", "params", "total_cost", "sd_after"]].head()

# %%
picked = board[board["model"].isin(plan["model"])]
small = bs.fit_boundary(picked, seed=1, chains=2, progress=False)
few, all_ = (bs.summarise_boundary(bs.boundary(one, "1e24", seed=1)) for one in (small, fit))
columns = ["benchmark", "boundary", "lower", "upper"]
all_[columns].merge(few[columns], on="benchmark", suffixes=(" of all", f" of {len(plan)}"))

# %% [markdown]
# ## 6. Has a test leaked?
#
# Score pairs on an older test and on a fresh one of its kind, before and after the day the old one became public. If
# later models are better at the old test alone, its odds ratio rises above 1. Contamination does that; so does training
# for tests of this kind. The numbers below are simulated with an odds ratio of 1.8.

# %%
rng, late = np.random.default_rng(2), np.arange(40) >= 20
ability = rng.normal(0, 0.8, 40) + 0.4 * late
chance_old, chance_new = (1 / (1 + np.exp(-odds)) for odds in (ability + np.log(1.8) * late, ability - 0.5))
pairs = pd.DataFrame({"date": np.where(late, "2025-01-01", "2024-01-01"), "old_items": 200, "new_items": 200})
pairs["old_score"], pairs["new_score"] = rng.binomial(200, chance_old) / 200, rng.binomial(200, chance_new) / 200
odds_ratio = bs.shift_probe(pairs, "2024-06-30", seed=1, progress=False)["odds_ratio"]
odds_ratio.quantile([0.05, 0.5, 0.95]).to_numpy().round(2)
