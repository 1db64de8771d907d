"""The log density of a model as compiled code, tested against the PyMC model."""
