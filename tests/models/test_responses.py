"""Responses: all that the package asks about one stands in its own module, and another one takes one module more."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import grid

import bayes_scaling as bs
from bayes_scaling.errors import DataError, ModelError, ScalingWarning
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.laws.likelihoods import LIKELIHOODS, LOSSES, SCORES
from bayes_scaling.models.documents import from_document
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response, Source, register

PACKAGE = Path(bs.__file__).parent
BITS = {
    "name": "bits",
    "responses": [{"response": "bits_per_byte", "law": "loss_power_law", "likelihood": "log_normal"}],
}


@pytest.fixture
def bits_per_byte(monkeypatch) -> Iterator[Response]:
    """A response of one's own: bits per byte of each benchmark, in a column that the package does not know."""
    for registry in (RESPONSES, LIKELIHOODS):
        for name, value in registry.items():
            monkeypatch.setitem(registry, name, value)

    def there(runs):
        return runs["bpb"].notna().to_numpy()

    def new_run(predicted, rng):
        return predicted.likelihood.report(predicted.draw(rng), None)

    monkeypatch.setitem(RESPONSES, "bits_per_byte", None)  # forgotten again after this test
    yield register(
        Response(
            name="bits_per_byte",
            column="bpb",
            gives="loss",
            label="bits per byte",
            sources=(Source(LOSSES, "bpb", lambda runs, question: runs[there(runs)]),),
            outcomes=there,
            new_run=new_run,
            high=np.inf,
        )
    )


def falling_bits():
    table = grid(benchmarks=2, mixtures=1, sizes=8)
    noise = np.exp(0.004 * np.random.default_rng(1).normal(size=len(table)))
    return table.assign(bpb=(0.6 + 0.3 * (table["flops"] / 1e20) ** -0.1) * noise)


@pytest.mark.filterwarnings("ignore:bits. NOT CONVERGED")
def test_a_new_response_is_fitted_forecast_scored_and_drawn(bits_per_byte, tmp_path):
    model, runs = from_document(BITS), falling_bits()
    known, later = runs[runs["flops"] < 1e20], runs[runs["flops"] >= 1e20]
    found = bs.fit(model, known, seed=1, chains=2, draws=200, tune=200, attempts=1, progress=False)
    found.save(tmp_path / "bits.nc")
    found = Fit.load(tmp_path / "bits.nc")
    ahead = bs.forecast(found, later, seed=1, even_if_not_converged=True)
    assert list(ahead.data_vars) == ["bits_per_byte_mean", "bits_per_byte"]
    scores = bs.score_forecast(ahead, later)
    assert scores["relative_error"].mean() < 0.03
    assert scores["inside_95"].mean() > 0.7
    figure = bs.plot_law(found, even_if_not_converged=True)
    assert figure.axes[0].get_ylabel() == "bits per byte"
    given = {"seed": 1, "chains": 2, "draws": 100, "tune": 100, "attempts": 1, "n_jobs": 1, "progress": False}
    with pytest.warns(ScalingWarning, match="did not converge"):
        past = bs.backtest(model, runs, response="bits_per_byte", **given)
    assert set(past.forecasts[next(iter(past.forecasts))].data_vars) == {"bits_per_byte_mean", "bits_per_byte"}
    assert np.isfinite(past.scores["log_density"]).all()


def test_values_out_of_the_range_of_a_response_are_refused(bits_per_byte):
    runs = falling_bits().assign(bpb=lambda t: t["bpb"].mask(t.index == 3, -1.0))
    with pytest.raises(
        DataError, match=r"^column 'bpb' holds bits_per_byte, which must lie between 0 and inf; rows \[3"
    ):
        bs.fit(from_document(BITS), runs)


def test_a_likelihood_of_other_rows_is_refused(bits_per_byte):
    document = {"responses": [BITS["responses"][0] | {"likelihood": "beta"}]}
    with pytest.raises(ModelError, match=f"bits_per_byte cannot go with 'loss_power_law' and 'beta', .* of {SCORES}"):
        from_document(document)


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_outcomes_lie_in_the_range_of_their_response_and_each_stands_once(response):
    runs = bs.load_dataset("olmo_ladder")
    there = runs[response.outcomes(runs)]
    assert response.holds(there[response.column]).all()
    if not response.per_benchmark:
        assert not there.duplicated(["run", "val_set"]).any()
    assert set(response.outcomes(runs).tolist()) <= {True, False}


def test_outcomes_of_responses_do_not_overlap_where_they_share_a_column():
    runs = pd.concat([bs.load_dataset("olmo_ladder"), falling_bits().assign(metric="pass@k", k=8.0)], ignore_index=True)
    scores, tried = (RESPONSES[name].outcomes(runs) for name in ("accuracy", "pass_at_k"))
    assert scores.any()
    assert tried.any()
    assert not (scores & tried).any()


NAMES = "|".join(RESPONSES)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_of_responses_are_compared_nowhere_else(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(rf"(==|!=) [\"']({NAMES})[\"']|[\"']({NAMES})[\"'] (==|!=)", text)
