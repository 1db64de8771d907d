"""The density of one row, as source code made from the law and likelihood themselves.

PyTensor differentiates the one formula that a law consists of; what comes out is a list of scalar
operations, printed here as a loop over rows that numba compiles.  No derivative is written by hand, so
a new law stays one function.  Expressions of data alone are split off and computed once per data set.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling.models.response_models import ResponseModel

FORMATS = {
    "Abs": "abs({0})", "Neg": "(-{0})", "Exp": "exp({0})", "Expm1": "expm1({0})", "Log": "log({0})",
    "Log1p": "log1p({0})", "Log1mexp": "log1mexp({0})", "Sqr": "({0} * {0})", "Sqrt": "sqrt({0})",
    "Reciprocal": "(1.0 / {0})", "Sigmoid": "sigmoid({0})", "Softplus": "softplus({0})", "Tanh": "tanh({0})",
    "Erf": "erf({0})", "Erfc": "erfc({0})", "Erfcx": "erfcx({0})", "GammaLn": "{0}[0]", "Psi": "{0}[1]",
    "Sub": "({0} - {1})", "TrueDiv": "({0} / {1})", "Pow": "({0} ** {1})",
    "Maximum": "max({0}, {1})", "Minimum": "min({0}, {1})",
    "LT": "({0} < {1})", "LE": "({0} <= {1})", "GT": "({0} > {1})", "GE": "({0} >= {1})",
    "EQ": "({0} == {1})", "NEQ": "({0} != {1})", "AND": "({0} and {1})", "OR": "({0} or {1})",
    "Invert": "(not {0})", "Switch": "({1} if {0} else {2})", "IsNan": "({0} != {0})",
    "Sign": "(1.0 if {0} > 0 else -1.0 if {0} < 0 else 0.0)",
}  # fmt: skip
type GraphVariable = Any  # of PyTensor, which has no types of its own

WEIGHT = "weight"  # number of equal rows that one stands for
JOINED = {"Add": " + ", "Mul": " * "}
PAIRED = {"GammaLn": "gamma_pair", "Psi": "gamma_pair"}  # value and derivative for the price of one
TRANSPARENT = {"Identity", "Cast", "DimShuffle", "TensorFromScalar", "ScalarFromTensor", "CheckParameterValue"}


class Unprintable(NotImplementedError):
    """A law uses an operation that has no printed form; the PyMC graph itself is compiled instead."""


@dataclass(frozen=True)
class RowDensity:
    """Source code of a response model's density.

    Attributes
    ----------
    columns : tuple of str
        Data columns that ``derive`` reads, the observed value last.
    derive : str
        Source of ``derive(columns…) -> tuple`` of the numbers per row that the loop reads.
    loop : str
        Source of ``loop(i, f, h, theta, slope) -> log density``, which reads the value of every parameter
        in the cell of its row from ``theta`` and adds the slope of the density there to ``slope``.
    """

    columns: tuple[str, ...]
    derive: str
    loop: str


def row_density(part: ResponseModel, suffix: str) -> RowDensity:
    """Differentiate the log density of one row with respect to its parameters, and print it as a loop."""
    thetas, data, outputs = _graph(part)
    printer = _Printer({v: f"v{j}" for j, v in enumerate(thetas)}, {v: n for n, v in data.items()})
    results = [printer.name(v) for v in outputs]
    start, read = [], []
    for j in range(len(thetas)):
        start.append(f"p{j} = i[h + k.PARAMS] + {j} * k.PARAM")
        start.append(f"a{j}, b{j} = i[p{j} + k.CELL_AT], i[p{j} + k.ROW_CELLS]")
        read.append(f"j{j} = a{j} + i[b{j} + r]")
        read.append(f"v{j} = theta[j{j}]")
    read += [f"d{j} = f[at + {j} * n + r]" for j in range(len(printer.handed_over))]
    add = [f"total += {results[0]}"] + [f"slope[j{j}] += {x}" for j, x in enumerate(results[1:])]
    loop = [f"def loop_{suffix}(i, f, h, theta, slope):", "    n, at, total = i[h + k.N_ROWS], i[h + k.DATA], 0.0"]
    loop += [f"    {line}" for line in start] + ["    for r in range(n):"]
    loop += [f"        {line}" for line in (*read, *printer.lines, *add)] + ["    return total"]
    handed = ", ".join(printer.handed_over) + "," if printer.handed_over else ""
    derive = [f"def derive_{suffix}({', '.join(data)}):", *printer.data_lines, f"return ({handed})"]
    return RowDensity(tuple(data), "\n    ".join(derive), "\n".join(loop))


def _graph(part: ResponseModel) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Scalar inputs and outputs: log density and its slope in every parameter."""
    import pymc as pm
    import pytensor.tensor as pt

    values = {name: pt.dscalar(name) for name in part.parameters}
    weight = [WEIGHT] if part.source.exchangeable else []
    data = {name: pt.dscalar(name) for name in (*part.columns, "observed", *weight)}
    theta = {p.name: values[p.name] for p in part.law.parameters}
    mean = part.law(*(data[c] for c in part.law.inputs), **theta)
    noise = {short: values[p.name] for short, p in part.noise.items()}
    component = part.likelihood.component
    distribution, arguments = component(mean, *(data[c] for c in component.inputs[1:]), **noise)
    density = data.get(WEIGHT, 1.0) * pm.logp(distribution.dist(**arguments), data["observed"])
    thetas = list(values.values())
    slopes = pt.grad(density, thetas, disconnected_inputs="ignore", return_disconnected="zero")
    wanted: Any = [density]
    wanted += slopes
    return thetas, data, _simplified(wanted)


def _simplified(graphs: GraphVariable) -> list[Any]:
    """Rewrite graphs to stable and short ones that compute the same."""
    from pytensor.graph import rewrite_graph

    include = ("canonicalize", "stabilize", "specialize", "local_remove_check_parameter")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")  # scalars need none
        simplified: Any = rewrite_graph(graphs, include=include)
    return list(simplified)


class _Printer:
    """Turns a scalar graph into numbered assignments, apart for data and for the rest."""

    def __init__(self, thetas: Mapping[GraphVariable, str], data: Mapping[GraphVariable, str]) -> None:
        self.names = {**thetas, **data}
        self.of_data = set(data)
        self.lines: list[str] = []
        self.data_lines: list[str] = []
        self.handed_over: list[str] = []
        self._written: dict[tuple[bool, str], str] = {}

    def name(self, variable: GraphVariable) -> str:
        """Name under which the loop knows a variable, printing what leads to it."""
        text = self._visit(variable)
        if variable not in self.of_data or _is_constant(variable):
            return text
        if text not in self.handed_over:
            self.handed_over.append(text)
        return f"d{self.handed_over.index(text)}"

    def _visit(self, variable: GraphVariable) -> str:
        if variable in self.names:
            return self.names[variable]
        if _is_constant(variable):
            self.of_data.add(variable)
            return repr(float(np.asarray(variable.data).item()))
        operation = _operation(variable.owner)
        if operation == "Composite":
            self.names[variable] = self._inline(variable)
            return self.names[variable]
        inputs = variable.owner.inputs[:1] if operation in TRANSPARENT else variable.owner.inputs
        if operation == "Second":
            inputs = variable.owner.inputs[1:]
        texts = [self._visit(v) for v in inputs]
        data = all(v in self.of_data for v in inputs)
        if data:
            self.of_data.add(variable)
        else:
            texts = [self.name(v) for v in inputs]
        if operation in PAIRED:
            texts = [self._assign(f"{PAIRED[operation]}({texts[0]})", data)]
        if operation in TRANSPARENT or operation == "Second":
            self.names[variable] = texts[0]
        else:
            self.names[variable] = self._assign(_expression(operation, texts), data)
        return self.names[variable]

    def _inline(self, variable: GraphVariable) -> str:
        """Print the operations that a composite one consists of."""
        inner = variable.owner.op.scalar_op.fgraph.unfreeze()
        for own, given in zip(inner.inputs, variable.owner.inputs, strict=True):
            self.names[own] = self._visit(given)
            if given in self.of_data:
                self.of_data.add(own)
            else:
                self.names[own] = self.name(given)
        result = inner.outputs[variable.owner.outputs.index(variable)]
        text = self._visit(result)
        if result in self.of_data:
            self.of_data.add(variable)
        return text

    def _assign(self, expression: str, data: bool) -> str:
        lines, letter = (self.data_lines, "c") if data else (self.lines, "t")
        key = (data, expression)
        if key not in self._written:
            self._written[key] = f"{letter}{len(lines)}"
            lines.append(f"{letter}{len(lines)} = {expression}")
        return self._written[key]


def _is_constant(variable: GraphVariable) -> bool:
    return variable.owner is None and hasattr(variable, "data")


def _operation(node: GraphVariable) -> str:
    return type(getattr(node.op, "scalar_op", node.op)).__name__


def _expression(operation: str, texts: Sequence[str]) -> str:
    if operation in JOINED:
        return JOINED[operation].join(sorted(texts))
    if operation not in FORMATS:
        raise Unprintable(operation)
    return FORMATS[operation].format(*texts)
