"""Models: which responses are observed, how each follows from the run, and what varies over what.

A model is a frozen value, independent of any data; `documents` reads and writes it as TOML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from bayes_scaling.data.columns import BENCHMARK, COLUMNS, LABEL, NAME, with_role
from bayes_scaling.errors import ModelError
from bayes_scaling.laws.likelihoods import REPORTED_PASS_AT_K
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.parameters import Parameter
from bayes_scaling.messages import html_table
from bayes_scaling.models.discrepancy import COMPUTE, SIZES
from bayes_scaling.models.effects import EVALUATION, EVERYTHING, NOISE_GROUPS, Effect
from bayes_scaling.models.named_arrays import along_rows, taken
from bayes_scaling.models.response_models import ResponseModel, check_response_model

POOLINGS = ("partial", "complete", "none")
GROUPS = (*with_role(BENCHMARK, LABEL, NAME), "metric", "val_set")  # columns of the table that are labels
WIDEST = 100.0  # spread between groups beyond which a number is a mistake
MOST_THIN = 1000


@dataclass(frozen=True)
class Card:
    """What a reader should know before using a model; for which task it is the recommended one, and why."""

    summary: str = ""
    recommended_for: str = ""
    use_when: str = ""
    fails_when: str = ""
    references: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """The task that it is recommended for, in few words; empty where it is for none."""
        first = self.recommended_for.partition(".")[0]
        return first[:1].lower() + first[1:]


@dataclass(frozen=True, repr=False)
class Model:
    """A complete specification, independent of any data.

    Attributes
    ----------
    name : str
    responses : tuple of ResponseModel
        Heads that name the same parameter share it.
    varies : mapping
        Parameter -> {group: prior median of the standard deviation between its levels}; a group is
        ``"benchmark"`` or an interaction ``"benchmark:mixture"``.
    pooling : str
        ``"partial"`` (differences with a learned spread), ``"complete"`` (none) or ``"none"``
        (every cell on its own).
    discrepancy : mapping
        Parameter -> {group: prior median of how much the slope of its curves wanders in a decade of compute};
        the group ``"all"`` is a curve that all runs share.
    fixed : mapping
        Parameter -> value that is not learned.
    priors : mapping
        Parameter -> {"low": …, "high": …} in place of the interval that the law declares.
    sampling : mapping
        How it is sampled unless `fit` is told otherwise: "target_accept", and "thin", the draws that one is kept of.
    card : Card
    """

    name: str
    responses: tuple[ResponseModel, ...]
    varies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pooling: str = "partial"
    discrepancy: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    priors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sampling: Mapping[str, float] = field(default_factory=dict)
    card: Card = Card()

    def __post_init__(self) -> None:
        if not (isinstance(self.pooling, str) and self.pooling in POOLINGS):
            raise ModelError(f"{self.name}: pooling must be one of {list(POOLINGS)}, got {self.pooling!r}")
        for what in ("varies", "discrepancy", "fixed", "priors"):
            if unknown := sorted(set(getattr(self, what)) - set(self.parameters)):
                raise ModelError(f"{self.name}: [{what}] names {unknown}; the parameters are {sorted(self.parameters)}")
        if len({part.name for part in self.responses}) < len(self.responses):
            raise ModelError(f"{self.name}: a response stands twice; every response takes one [[responses]]")
        for part in self.responses:
            check_response_model(part, self.name)
            if not part.response.per_benchmark and "benchmark" in varied_over(self, part.parameters):
                raise ModelError(
                    f"{self.name}: a run has one {part.name} for all benchmarks: {list(part.parameters)} cannot vary "
                    "by them"
                )
        for what in ("varies", "discrepancy"):
            for name, groups in getattr(self, what).items():
                _check_groups(f"{what}.{name}", groups, self.name)
        for name, value in self.fixed.items():
            _check_fixed(self.parameters[name], value, self.name)
        _check_sampling(self.sampling, self.name)

    def __repr__(self) -> str:
        forecasts = ", ".join(f"{part.name} by {part.law.name}" for part in self.responses)
        pooled = f"{self.pooling} pooling over {', '.join(self.groups)}" if self.groups else "no groups"
        return f"<Model {self.name}: {forecasts}; {len(self.parameters)} parameters, {pooled}>"

    def _repr_html_(self) -> str:
        card = {
            "": self.card.summary,
            "recommended for": self.card.recommended_for,
            "use when": self.card.use_when,
            "fails when": self.card.fails_when,
        }
        parameters = {name: parameter.meaning for name, parameter in self.parameters.items()}
        return html_table(f"Model {self.name}", {n: text for n, text in card.items() if text} | parameters)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Every parameter by name, with the priors of this model."""
        found: dict[str, Parameter] = {}
        for part in self.responses:
            found |= {p.name: p for p in (*part.law.parameters, *part.noise.values())}
        return {name: _with_prior(p, self.priors.get(name, {})) for name, p in found.items()}

    @cached_property
    def of_laws(self) -> frozenset[str]:
        """Parameters of the laws themselves, apart from those of modifiers and noise."""
        return frozenset(p.name for part in self.responses for p in part.law.parts[0].parameters)

    @cached_property
    def of_noise(self) -> frozenset[str]:
        """Parameters of the likelihoods."""
        return frozenset(p.name for part in self.responses for p in part.noise.values())

    def effects(self, parameter: str) -> tuple[Effect, ...]:
        """How a parameter differs between groups, and along compute, under the pooling of this model."""
        return (*_differences(self, parameter), *_curves(self, parameter))

    def has_population(self, parameter: str) -> bool:
        """Whether the population value of a parameter is learned from the data."""
        return parameter not in self.fixed and all(e.learned for e in self.effects(parameter))

    @cached_property
    def leaves_law(self) -> bool:
        """Whether any parameter has a discrepancy under the pooling of this model."""
        return any(effect.curve for name in self.discrepancy for effect in self.effects(name))

    @property
    def leaves_along(self) -> tuple[str, ...]:
        """Columns of the runs along which curves go on beyond them: compute, or sizes where the laws read these."""
        read = {column for part in self.responses for column in part.law.inputs}
        return () if not self.leaves_law else SIZES if read >= set(SIZES) else (COMPUTE,)

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns that parameters vary over, in order of first use."""
        return varied_over(self, self.parameters)

    def resolve(self, parameter: str, values: Mapping[str, Numbers], codes: Mapping[str, Numbers]) -> Numbers:
        """Value of a parameter at every row, from graph variables or from posterior arrays.

        Parameters
        ----------
        parameter : str
        values : mapping
            ``<parameter>_free`` of shape (…) and every effect of shape (…, *levels), with the heights of its
            shapes as another axis where it is a curve.  Axes of draws have names, and are found by them.
        codes : mapping
            Column -> position of each row's label among its levels, shape (row,).  An effect whose
            columns are not all present is left out, as expectations do with noise.  `CURVE` holds the weights of
            the shapes of discrepancies, (row, shape).

        Returns
        -------
        Graph variable, array of shape (…, row), or Variable with the dim ``row``.
        """
        free = taken(values[self.parameters[parameter].free_name], {})
        for effect in self.effects(parameter):
            if all(column in codes for column in effect.group):
                free = free + effect.at_rows(values, codes)
        return self.parameters[parameter].support.constrain(free)

    def mean(
        self,
        part: ResponseModel,
        values: Mapping[str, Numbers],
        data: Mapping[str, Numbers],
        codes: Mapping[str, Numbers],
    ) -> Numbers:
        """Expected response at every row, shape (…, row)."""
        theta = {p.name: self.resolve(p.name, values, codes) for p in part.law.parameters}
        like = next(iter(theta.values()), None)
        return part.law(*(along_rows(data[c], like) for c in part.law.inputs), **theta)

    def observation(
        self,
        part: ResponseModel,
        mean: Numbers,
        values: Mapping[str, Numbers],
        data: Mapping[str, Numbers],
        codes: Mapping[str, Numbers],
    ) -> Numbers:
        """(distribution, arguments) of the response at every row, given its mean."""
        noise = {name: self.resolve(p.name, values, codes) for name, p in part.noise.items()}
        component = part.likelihood.component
        return component(mean, *(along_rows(data[c], mean) for c in component.inputs[1:]), **noise)


def held_at(model: Model, parameter: str) -> float:
    """Unconstrained population value of a parameter that has none to learn: fixed, or the middle of its prior."""
    own = model.parameters[parameter]
    return own.support.free(model.fixed[parameter]) if parameter in model.fixed else own.location


def varied_over(model: Model, parameters: Iterable[str]) -> tuple[str, ...]:
    """Columns that some parameters of a model vary over, in order of first use."""
    return tuple(dict.fromkeys(c for p in parameters for e in model.effects(p) for c in e.group))


def _curves(model: Model, parameter: str) -> Iterator[Effect]:
    for group, spread in model.discrepancy.get(parameter, {}).items():
        if group == EVERYTHING or model.pooling != "complete":
            over = () if group == EVERYTHING else tuple(group.split(":"))
            yield Effect(parameter, over, spread, curve=True)


def _differences(model: Model, parameter: str) -> tuple[Effect, ...]:
    groups = {tuple(g.split(":")): s for g, s in model.varies.get(parameter, {}).items()}
    reported = any(part.likelihood.rows == REPORTED_PASS_AT_K for part in model.responses)
    noise = tuple(
        Effect(parameter, g, s, heavy_tailed=reported and EVALUATION in g)  # a few that are published went wrong
        for g, s in groups.items()
        if set(g) & set(NOISE_GROUPS)
    )
    shared = {g: s for g, s in groups.items() if not set(g) & set(NOISE_GROUPS)}
    if model.pooling == "complete" or not shared:
        return noise
    if model.pooling == "partial":
        return (*(Effect(parameter, g, s) for g, s in shared.items()), *noise)
    cell = tuple(dict.fromkeys(column for group in shared for column in group))
    variance = model.parameters[parameter].scale ** 2 + sum(s**2 for s in shared.values())
    return (Effect(parameter, cell, variance**0.5, learned=False), *noise)


def _with_prior(parameter: Parameter, interval: Mapping[str, float]) -> Parameter:
    """Replace the interval that a law declares by that of a model document."""
    if unknown := sorted(set(interval) - {"low", "high"}):
        raise ModelError(f"[priors.{parameter.name}] takes low and high, got {unknown}")
    low, high = (interval.get(end, getattr(parameter, end)) for end in ("low", "high"))
    return replace(parameter, low=low, high=high)


def _check_groups(what: str, groups: Mapping[str, float], where: str) -> None:
    seen: set[frozenset[str]] = set()
    for group, spread in groups.items():
        columns = group.split(":")
        known = frozenset(columns)
        if len(columns) > 2 or len(set(columns)) < len(columns) or known in seen or not all(columns):
            raise ModelError(f"{where}: [{what}] takes columns and pairs of columns once each, got {group!r}")
        if odd := [c for c in columns if c in COLUMNS and c not in GROUPS]:
            raise ModelError(
                f"{where}: [{what}] names {odd[0]!r}, which holds numbers or outcomes; a group is a column of labels, "
                f"such as {', '.join(GROUPS)}, or one of your own"
            )
        if "/" in group:
            raise ModelError(f"{where}: [{what}] {group!r} holds '/', which no group may have; rename the column")
        if not (math.isfinite(spread) and 0 < spread <= WIDEST):
            bounds = f"above 0 and at most {WIDEST:g}"
            raise ModelError(f"{where}: [{what}] {group} must be a number {bounds}, got {spread}")
        seen.add(known)


def _check_sampling(sampling: Mapping[str, float], where: str) -> None:
    thin, target = sampling.get("thin", 1), sampling.get("target_accept", 0.5)
    if set(sampling) - {"thin", "target_accept"} or thin not in range(1, MOST_THIN + 1) or not 0 < target < 1:
        raise ModelError(
            f"{where}: [sampling] takes thin, a whole number from 1 to {MOST_THIN}, and target_accept, between 0 and 1"
            f"; got {dict(sampling)}"
        )


def _check_fixed(parameter: Parameter, value: float, where: str) -> None:
    with np.errstate(all="ignore"):
        inside = math.isfinite(value) and math.isfinite(parameter.support.free(value))
    if not inside:
        raise ModelError(
            f"{where}: [fixed] {parameter.name} = {value} lies outside its {parameter.support.name} support"
        )
