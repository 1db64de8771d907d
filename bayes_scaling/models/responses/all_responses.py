"""Every response of this package: importing this module makes them known."""

from bayes_scaling.models.responses import accuracy, loss, pass_at_k
from bayes_scaling.models.responses.response import RESPONSES

__all__ = ["MODULES", "RESPONSES"]

MODULES = (accuracy, loss, pass_at_k)
