"""Backtests: one law on one split, and all of them in parallel."""
