"""Fitting: a model laid over runs, its posterior draws, and the verdict on them."""
