"""Elementwise maths on all three kinds of operands, and parameters with priors stated as intervals."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr

from bayes_scaling.errors import ModelError
from bayes_scaling.laws import ops
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.laws.parameters import Z90, Component, positive, real, unit
from bayes_scaling.laws.registry import LAWS
from bayes_scaling.models.documents import list_models, load_model

UNARY = sorted(set(ops.__all__) - {"logaddexp", "maximum", "minimum", "where"})
BINARY = ["logaddexp", "maximum", "minimum"]
KINDS = {"real": real, "positive": positive, "unit": unit}
DECLARED = {
    f"{name}.{p.name}": p
    for name, component in [*LAWS.items(), *((n, k.component) for n, k in LIKELIHOODS.items())]
    for p in component.parameters
}
IN_MODELS = {f"{name}.{p}": q for name in list_models() for p, q in load_model(name).parameters.items()}


def on_graph(function, *arrays):
    symbols = [pt.TensorType("float64", a.shape)() for a in map(np.asarray, arrays)]
    return pytensor.function(symbols, function(*symbols), mode="FAST_COMPILE")(*arrays)


@pytest.mark.parametrize("name", UNARY)
def test_one_name_means_the_same_on_graphs_arrays_and_names(name):
    op, x = getattr(ops, name), np.linspace(0.02, 0.98, 25)
    assert op.__name__ == name
    plain = op(x)
    assert isinstance(plain, np.ndarray)
    np.testing.assert_allclose(on_graph(op, x), plain, rtol=1e-12)
    named = op(xr.DataArray(x, dims="run"))
    assert named.dims == ("run",)
    np.testing.assert_array_equal(named, plain)
    assert op(0.5) == pytest.approx(op(np.array([0.5]))[0], rel=1e-15)


@pytest.mark.parametrize("name", BINARY)
def test_two_operands_agree_and_broadcast(name):
    op, x, y = getattr(ops, name), np.linspace(-3, 3, 7)[:, None], np.linspace(-2, 4, 5)
    plain = op(x, y)
    assert plain.shape == (7, 5)
    np.testing.assert_allclose(on_graph(op, x, y), plain, rtol=1e-12)
    named = op(xr.DataArray(x[:, 0], dims="a"), xr.DataArray(y, dims="b"))
    assert named.dims == ("a", "b")
    np.testing.assert_array_equal(named, plain)


def test_where_takes_one_side_or_the_other_everywhere():
    x = np.linspace(-1, 1, 9)

    def clipped(v):
        return ops.where(v > 0, v, 0.0)

    np.testing.assert_array_equal(clipped(x), np.maximum(x, 0))
    np.testing.assert_array_equal(on_graph(clipped, x), np.maximum(x, 0))
    np.testing.assert_array_equal(clipped(xr.DataArray(x, dims="run")), np.maximum(x, 0))


def test_a_graph_operand_makes_a_graph_of_a_mixed_call():
    result = ops.logaddexp(pt.dscalar("a"), 0.0)
    assert result.eval({"a": 0.0}, mode="FAST_COMPILE") == pytest.approx(np.log(2))


@pytest.mark.parametrize("name", ["logaddexp", "expit", "log1p", "softplus"])
def test_large_operands_do_not_overflow(name):
    operands = (1000.0, 1000.0) if name == "logaddexp" else (1000.0,)
    assert np.isfinite(getattr(ops, name)(*operands))


@pytest.mark.parametrize("kind", KINDS)
def test_supports_map_the_real_line_and_back(kind):
    support = KINDS[kind](0.1, 0.9, "x").support
    assert support.name == kind
    for value in (0.001, 0.2, 0.5, 0.999):
        assert support.constrain(support.free(value)) == pytest.approx(value, rel=1e-12)
    assert np.all(np.diff(support.constrain(np.linspace(-20, 20, 101))) > 0)


@pytest.mark.parametrize("label", DECLARED | IN_MODELS)
def test_priors_hold_90_percent_where_they_say(label):
    parameter = (DECLARED | IN_MODELS)[label]
    free = parameter.location + parameter.scale * np.random.default_rng(1).normal(size=100_000)
    value = parameter.support.constrain(free)
    below, above = np.mean(value < parameter.low), np.mean(value > parameter.high)
    assert below == pytest.approx(0.05, abs=0.003)
    assert above == pytest.approx(0.05, abs=0.003)


@pytest.mark.parametrize("label", DECLARED)
def test_parameters_say_what_they_are(label):
    parameter = DECLARED[label]
    assert label.endswith(f".{parameter.name}")
    assert len(parameter.meaning.split()) > 1
    assert 0 < parameter.spread <= 1


def test_the_half_width_is_that_of_90_percent():
    from scipy.stats import norm

    assert pytest.approx(norm.ppf(0.95), rel=1e-15) == Z90


@pytest.mark.parametrize(
    ("make", "low", "high", "match"),
    [
        (positive, 2.0, 1.0, "^x: low must be below high, got 2.0 and 1.0$"),
        (real, 1.0, 1.0, "^x: low must be below high, got 1.0 and 1.0$"),
        (real, float("nan"), 1.0, "^x: low must be below high"),
        (real, 0.0, float("inf"), "^x: 0.0 to inf must lie inside the real support$"),
    ],
)
def test_intervals_that_cannot_be_are_refused(make, low, high, match):
    with pytest.raises(ModelError, match=match):
        make(low, high, "x")


def test_components_read_inputs_and_parameters_off_the_signature():
    def law(flops, chance, *, a=positive(1, 2, "first", spread=0.5), b=real(-1, 1, "second")):
        """What it says.

        More.
        """
        return a * flops + b * chance

    component = Component.of(law)
    assert (component.name, component.inputs, component.doc) == ("law", ("flops", "chance"), "What it says.")
    assert [(p.name, p.meaning, p.spread) for p in component.parameters] == [("a", "first", 0.5), ("b", "second", 0.3)]
    assert component.parts == (component,)
    assert component(2.0, 3.0, a=5.0, b=7.0) == 31.0


def test_a_parameter_without_prior_is_refused():
    def law(flops, *, a=1.0):
        return a * flops

    with pytest.raises(ModelError, match=r"^law: parameter 'a' needs a prior as its default, e\.g\. a=positive\("):
        Component.of(law)


def _times(x, *, a=positive(1, 2, "factor")):
    return a * x


def _plus(y, z, x, *, b=real(-1, 1, "summand")):
    return y + b * z + x


def test_chains_feed_the_first_input_and_keep_the_rest():
    chain = Component.of(_times).then(Component.of(_plus))
    assert chain.name == "_times > _plus"
    assert chain.inputs == ("x", "z")
    assert [p.name for p in chain.parameters] == ["a", "b"]
    assert [p.name for p in chain.parts] == ["_times", "_plus"]
    assert chain(2.0, 3.0, a=5.0, b=7.0) == 5 * 2 + 7 * 3 + 2


def test_chaining_is_associative():
    one, two = Component.of(_times), Component.of(_plus)

    def half(w, *, c=unit(0.1, 0.9, "share")):
        return c * w

    three = Component.of(half)
    left, right = one.then(two).then(three), one.then(two.then(three))
    assert left.inputs == right.inputs
    assert left.name == right.name
    assert left.parts == right.parts
    assert left(2.0, 3.0, a=5.0, b=7.0, c=0.5) == right(2.0, 3.0, a=5.0, b=7.0, c=0.5)


def test_chains_refuse_a_parameter_that_both_define():
    with pytest.raises(ModelError, match=r"cannot chain _times with _times: both define \['a'\]; rename one"):
        Component.of(_times).then(Component.of(_times))
