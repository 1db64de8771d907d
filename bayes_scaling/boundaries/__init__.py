"""What released models reach at a compute budget: high quantiles of scores, over compute and time."""
