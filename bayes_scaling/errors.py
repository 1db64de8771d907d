"""What can go wrong, as types: catch ``ScalingError`` for everything this package refuses.

Each error also is the built-in error a reader would expect (a ``DataError`` is a ``ValueError``),
so code that knows nothing of this package handles it as well.
"""


class ScalingError(Exception):
    """Something this package refuses to do; its text says what, where, and what would be right."""


class DataError(ScalingError, ValueError):
    """A table, a plan or a cell that cannot be what it claims to be."""


class ModelError(ScalingError, ValueError):
    """A model document, law or prior that is incomplete or contradicts itself."""


class FitError(ScalingError, RuntimeError):
    """A fit that did not run, did not converge, or is asked for what it does not hold."""


class FileError(ScalingError, OSError):
    """A file that is missing, truncated, foreign, or written by another version."""


class ScalingWarning(UserWarning):
    """Something to know before trusting a result."""


class DataWarning(ScalingWarning):
    """A table that is usable, with something in it to look at first."""
