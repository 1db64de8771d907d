"""The laws: every one agrees on graphs and arrays, broadcasts by name, rises with size and stays in bounds."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from simulate import CHANCES, grid, prior_points, scored

from bayes_scaling.errors import ModelError
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.layout import expand
from bayes_scaling.laws.all_laws import LAWS
from bayes_scaling.laws.registry import C0, D0, N0, law
from bayes_scaling.models.discrepancy import t_distributed
from bayes_scaling.models.documents import list_models, load_model

# What a law may be asked about; a column that is not here is given numbers between 0.1 and 3.
INPUTS = {
    "flops": np.geomspace(1e17, 1e26, 10),
    "params": np.geomspace(1e7, 1e12, 10),
    "tokens": np.geomspace(1e8, 1e14, 10),
    "k": np.geomspace(1, 1e4, 10),
    "chance": np.array([0.0, 0.25, 0.5, 0.2, 0.1, 0.0, 0.01, 0.9, 0.33, 0.5]),
}
SIZES = ("flops", "params", "tokens")
REFERENCE = {"flops": C0, "params": N0, "tokens": D0, "k": 1.0}
MODELS = {name: load_model(name) for name in list_models()}
HEADS = {
    f"{name}.{response_model.name}": response_model
    for name, model in MODELS.items()
    for response_model in model.responses
}
EVERY = LAWS | {label: response_model.law for label, response_model in HEADS.items()}
CHECKED = {name: law for name, law in LAWS.items() if set(law.inputs) <= {*SIZES, "k"}}
ACCURACY = {label: response_model.law for label, response_model in HEADS.items() if response_model.name == "accuracy"}
# What a law gives at the reference run, where that is not its first parameter.
AT_REFERENCE = {"bnsl": lambda theta: -np.log(theta["level"] * (1 + theta["level"] ** 6) ** (-1 / 6))}
every_form = pytest.mark.parametrize("name", EVERY)
every_accuracy = pytest.mark.parametrize("name", ACCURACY)


def columns(law):
    return [INPUTS.get(name, np.linspace(0.1, 3.0, 10)) for name in law.inputs]


def drawn(law, n=200, seed=1, widen=1.0):
    """Draws of every parameter from its prior, shape (n, 1)."""
    rng = np.random.default_rng(seed)
    scale = {p.name: widen * p.scale * rng.normal(size=(n, 1)) for p in law.parameters}
    return {p.name: p.support.constrain(p.location + scale[p.name]) for p in law.parameters}


@every_form
def test_graph_and_arrays_agree(name):
    law = EVERY[name]
    data, theta = columns(law), drawn(law)
    symbols = [pt.TensorType("float64", np.shape(v))(n) for n, v in zip(law.inputs, data, strict=True)]
    parameters = {n: pt.TensorType("float64", (None, 1))(n) for n in theta}
    graph = law(*symbols, **parameters)
    function = pytensor.function([*symbols, *parameters.values()], graph, mode="FAST_COMPILE")
    plain = law(*data, **theta)
    assert plain.shape == ((200, 10) if theta else (10,))
    assert np.isfinite(plain).all()
    np.testing.assert_allclose(function(*data, *theta.values()), plain, rtol=1e-12, atol=1e-300)


@every_form
def test_dimensions_are_matched_by_name(name):
    law = EVERY[name]
    data = columns(law)
    theta = {n: v[:3, 0] for n, v in drawn(law).items()}
    over = {n: xr.DataArray(v, dims=f"over_{n}") for n, v in theta.items()}
    named = law(*(xr.DataArray(v, dims="run") for v in data), **over)
    assert set(named.dims) == {"run", *(f"over_{n}" for n in theta)}
    one = law(*(v[3] for v in data), **{n: v[2] for n, v in theta.items()})
    picked = named.isel(run=3, **{f"over_{n}": 2 for n in theta})
    assert float(picked) == pytest.approx(one, rel=1e-12)


@every_form
def test_laws_say_where_they_come_from(name):
    law = EVERY[name]
    assert law.doc.endswith(".")
    assert name in HEADS or len(law.doc) > 20


@pytest.mark.parametrize("name", CHECKED)
def test_negative_log_accuracy_and_loss_are_positive_and_fall_with_size(name):
    law, theta = CHECKED[name], drawn(CHECKED[name])
    base = {n: np.full(10, REFERENCE[n]) for n in law.inputs}
    for column in law.inputs:
        h = law(*(base | {column: INPUTS[column]}).values(), **theta)
        assert (h > 0).all()
        assert (np.diff(h, axis=1) < 0).all()


@pytest.mark.parametrize("name", CHECKED)
def test_the_scale_is_what_the_law_gives_at_the_reference_run(name):
    law, theta = CHECKED[name], drawn(CHECKED[name])
    expected = AT_REFERENCE.get(name, lambda theta: theta[law.parameters[0].name])(theta)
    np.testing.assert_allclose(law(*(REFERENCE[n] for n in law.inputs), **theta), expected, rtol=1e-12)


@pytest.mark.parametrize(("name", "column"), [(n, c) for n, law in ACCURACY.items() for c in SIZES if c in law.inputs])
def test_more_never_lowers_the_score(name, column):
    law = ACCURACY[name]
    theta = drawn(law, 2000, widen=2.0)
    base = {"flops": C0, "params": N0, "tokens": D0, column: INPUTS[column]}
    for chance in CHANCES:
        data = [np.broadcast_to(base.get(n, chance), (10,)) for n in law.inputs]
        assert (np.diff(law(*data, **theta), axis=1) >= 0).all()


@every_accuracy
def test_accuracy_stays_between_floor_and_ceiling(name):
    law, theta = ACCURACY[name], drawn(ACCURACY[name], 2000, widen=2.0)
    score = law(*columns(law), **theta)
    chance = INPUTS["chance"]
    floor = chance / (chance + (1 - chance) * np.exp(-theta["floor_shift"]))
    top = floor + (1 - floor) * np.exp(-theta.get("E", 0.0))
    assert (score >= floor).all()
    assert (score <= top + 1e-15).all()
    assert (score <= 1).all()


def test_the_floor_is_exactly_zero_where_chance_is_zero():
    shift = np.linspace(-5, 5, 11)
    assert (LAWS["accuracy"](np.inf, 0.0, floor_shift=shift) == 0).all()
    np.testing.assert_allclose(LAWS["accuracy"](np.inf, 0.25, floor_shift=0.0), 0.25, rtol=1e-15)


def test_without_shift_the_floor_undoes_the_correction_for_chance():
    chance, corrected = np.array([0.0, 0.25, 0.5]), np.linspace(0.01, 0.99, 9)[:, None]
    score = LAWS["accuracy"](-np.log(corrected), chance, floor_shift=0.0)
    np.testing.assert_allclose((score - chance) / (1 - chance), corrected + 0 * chance, rtol=1e-12)


def test_the_power_law_is_straight_in_log_log():
    h = LAWS["power_law"](INPUTS["flops"], A=2.0, alpha=0.3)
    np.testing.assert_allclose(h, 2.0 * (INPUTS["flops"] / C0) ** -0.3, rtol=1e-12)


def test_params_and_tokens_each_own_a_share():
    law = LAWS["params_tokens"]
    only_size = law(1e30, 1e11, A=2.0, share=0.7, alpha=0.4, beta=0.5)
    assert only_size == pytest.approx(2.0 * 0.3 * (1e11 / D0) ** -0.5, rel=1e-6)
    h = law(3e9, 1e11, A=2.0, share=0.7, alpha=0.4, beta=0.5)
    assert h == pytest.approx(2.0 * (0.7 * 3**-0.4 + 0.3 * 5**-0.5), rel=1e-12)


def test_a_new_law_is_one_decorated_function(monkeypatch):
    from bayes_scaling.laws.parameters import real

    monkeypatch.setitem(LAWS, "straight", None)  # forgotten again after this test

    @law
    def straight(flops, *, slope=real(-1, 1, "slope")):
        return slope * flops

    assert LAWS["straight"] is straight
    assert LAWS["straight"].inputs == ("flops",)


def test_modifiers_refuse_to_be_applied_twice():
    with pytest.raises(ModelError, match=r"both define \['E'\]"):
        LAWS["power_law"].then(LAWS["ceiling"]).then(LAWS["ceiling"])


def prior_curves(name, n=2000):
    """Expected scores (n, 41) over the two decades of compute around the reference run, drawn from the prior.

    A curve belongs to a benchmark that is drawn from its population, of chance 0.25, at 20 tokens per parameter.
    """
    model = MODELS[name]
    table = grid(benchmarks=1, mixtures=1, sizes=41)
    table["flops"] = np.geomspace(C0 / 10, C0 * 10, 41)
    table["params"] = np.sqrt(table["flops"] / 120)
    table["tokens"] = 20 * table["params"]
    design = lay_out(model, table)
    rng = np.random.default_rng(2)
    values = {str(k): v.to_numpy() for k, v in expand(design, prior_points(design, n, rng)).items()}
    for effect in (e for p in model.parameters for e in model.effects(p) if e.learned):
        sd = values[f"{effect.name}_sd"].reshape(1, n, *(1 for _ in effect.group), *([1] if effect.curve else []))
        size = (*sd.shape[:-1], effect.shapes) if effect.curve else sd.shape
        values[effect.name] = sd * (t_distributed(size, rng) if effect.curve else rng.normal(size=size))
    response_model, data = model.responses[scored(model)], design.responses[scored(model)]
    return np.asarray(model.mean(response_model, values, data.columns, data.codes))[0]


@pytest.mark.parametrize("name", [n for n in MODELS if f"{n}.accuracy" in HEADS])
def test_prior_curves_are_plausible(name):
    """Most curves rise visibly over two decades, few are steps, and few are flat.

    Runs of one benchmark scatter by about 0.01, so a rise of 0.02 is one that a plot shows and 0.005 is none.  Flat
    lines are not excluded: some benchmarks stay at chance over these sizes, others are solved before them; in the
    shipped data more than a seventh do.  A step
    gains nine tenths of its rise within a tenth of the range, a fifth of a decade, which no power law in the literature
    does.
    """
    curves = prior_curves(name)
    rise = curves[:, -1] - curves[:, 0]
    tenth = (curves.shape[1] - 1) // 10
    steepest = (curves[:, tenth:] - curves[:, :-tenth]).max(axis=1)
    assert np.mean(rise > 0.02) > 0.7
    assert np.mean(rise < 0.005) < 0.15
    assert np.mean((rise > 0.02) & (steepest > 0.9 * rise)) < 0.01
    assert 0.1 < np.median(rise) < 0.6
    assert np.mean(curves.max(axis=1) > 0.5) > 0.3  # and the prior does not know beforehand that all is hopeless
