"""Effects: how one parameter differs between the levels of a group, by offsets or by curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayes_scaling.laws.ops import Numbers
from bayes_scaling.models.discrepancy import CURVE, SHAPES
from bayes_scaling.models.named_arrays import along_rows, taken

SPREAD_SCALE = 0.668  # log standard deviations between groups: 90 % within a factor of 3 of their median
WANDERING_SCALE = 0.35  # the same for curves, within a factor of 1.8: `benchmarks/shared_discrepancy.py`
EVERYTHING = "all"  # the group of a curve that all runs share
EVALUATION = "evaluation"  # a run on a benchmark: all its pass@k share their noise
NOISE_GROUPS = ("run", EVALUATION)  # differences between runs are noise: absent from expectations


@dataclass(frozen=True)
class Effect:
    """Differences of one parameter between the levels of one group, on the unconstrained scale.

    Attributes
    ----------
    parameter : str
    group : tuple of str
        Columns whose combinations are the levels; two columns make an interaction.
    spread : float
        Prior median of the standard deviation; the standard deviation itself where ``learned`` is false.
    learned : bool
        Partial pooling learns the standard deviation and keeps the differences summing to zero.
    curve : bool
        The differences are curves along compute (see `discrepancy`), one for every level and one for all runs where
        the group is empty; the standard deviation is how much their slope wanders in a decade.
    heavy_tailed : bool
        A few differences are far larger than others: a t of `discrepancy.TAILS` degrees of freedom.
    """

    parameter: str
    group: tuple[str, ...]
    spread: float
    learned: bool = True
    curve: bool = False
    heavy_tailed: bool = False

    @property
    def name(self) -> str:
        """Parameter and columns, joined: what the posterior calls the offsets."""
        return "_".join((self.parameter, *(["discrepancy"] if self.curve else []), *self.group))

    @property
    def shapes(self) -> int:
        """How many shapes are learned of each curve: those of an interaction are told by few runs each."""
        return 0 if not self.curve else 1 if len(self.group) > 1 else SHAPES

    @property
    def sd_name(self) -> str:
        """What the posterior calls the standard deviation."""
        return f"{self.name}_sd"

    @property
    def spread_scale(self) -> float:
        """Prior standard deviation of the logarithm of the standard deviation."""
        return WANDERING_SCALE if self.curve else SPREAD_SCALE

    @property
    def beyond_name(self) -> str:
        """What forecasts call what the curves do beyond the fitted runs."""
        return f"{self.name}_beyond"

    @property
    def shape_dim(self) -> str:
        """Dimension of the posterior along which the heights of the shapes of a curve stand."""
        return f"{self.name}_shape"

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the offsets in the posterior, after chain and draw."""
        return (*self.group, *([self.shape_dim] if self.curve else []))

    @property
    def between_runs(self) -> bool:
        """Whether the differences are between runs or evaluations, which expectations leave out."""
        return bool(set(self.group) & set(NOISE_GROUPS))

    def at_rows(self, values: Mapping[str, Numbers], codes: Mapping[str, Numbers]) -> Numbers:
        """Offset of every row, shape (…, row); see `Model.resolve` for values and codes."""
        value, levels = values[self.name], {c: codes[c] for c in self.group}
        if not self.curve:
            return taken(value, levels)
        total = values.get(self.beyond_name, 0.0)
        for shape in range(self.shapes):
            total = total + taken(value, levels, {self.shape_dim: shape}) * along_rows(codes[CURVE][:, shape], value)
        return total
