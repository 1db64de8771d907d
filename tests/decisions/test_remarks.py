"""Answers to planners' questions say what their forecasts remark: far away, below the data, a benchmark that falls."""

import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from simulate import small_fit, unfitted

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.forecasting.caveats import FALLING
from bayes_scaling.models.documents import load_model
from bayes_scaling.reporting.answers import answer_sentences

GO_ON = {"seed": 1, "even_if_not_converged": True}
FAR = "more than 4 decades of compute beyond the fitted runs"
BELOW = "less compute than any fitted run: the law is asked backwards"


@pytest.fixture(scope="module")
def fit():
    return small_fit()


@pytest.fixture(scope="module")
def falling(fit):
    """The same fit, of runs whose first benchmark falls."""
    runs = fit.runs.copy()
    first = runs["benchmark"].eq("benchmark 00")
    runs.loc[first, "score"] = 0.9 - 0.08 * np.log10(runs.loc[first, "flops"] / runs["flops"].min())
    return type(fit)(**{name: getattr(fit, name) for name in fit.__dataclass_fields__} | {"runs": runs})


def largest(fit):
    return float(fit.runs["flops"].max())


def test_more_compute_far_beyond_the_runs_or_below_them_is_warned_of(fit):
    for start, text in ((1e5 * largest(fit), FAR), (fit.runs["flops"].min() / 100, BELOW)):
        with pytest.warns(ScalingWarning, match="this asks what the runs cannot tell: "):
            table = bs.elasticity(fit, start, **GO_ON)
        assert text in table.attrs["note"]
        assert text in " ".join(answer_sentences(table)[1])
    assert table["decades_beyond"].eq(0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        near = bs.elasticity(fit, largest(fit), **GO_ON)
    assert near["decades_beyond"].to_numpy() == pytest.approx(1.0)
    assert "compute" not in near.attrs["note"]


def test_a_ranking_says_how_far_away_it_is(fit):
    with pytest.warns(ScalingWarning, match=FAR) as caught:
        found = bs.rank(fit, 1e5 * largest(fit), **GO_ON)
    assert caught[0].filename == __file__
    assert found.attrs["decades_beyond"] == pytest.approx(5.0)
    assert FAR in found.attrs["note"]


def test_what_a_target_costs_comes_with_the_remarks_on_the_place_where_it_is_reached(fit):
    tables = [bs.summarise_compute(bs.compute_for(fit, t, benchmark="benchmark 00", **GO_ON)) for t in (0.45, 0.7)]
    near, far = (table.loc[0, ["decades_beyond", "note"]] for table in tables)
    assert near["decades_beyond"] < 1.5 < far["decades_beyond"]
    assert "too far for bands to have been checked" not in near["note"]
    assert "too far for bands to have been checked" in far["note"]


def test_a_benchmark_that_falls_is_named_in_every_answer(falling):
    answers = [
        bs.elasticity(falling, largest(falling), **GO_ON),
        bs.rank(falling, largest(falling), **GO_ON),
        bs.compute_for(falling, 0.5, **GO_ON),
        bs.compute_for(falling, 0.5, average=True, **GO_ON),
    ]
    for answer in answers:
        assert f"benchmark 00: {FALLING}" in answer.attrs["note"]
        assert f"benchmark 00: {FALLING}" in " ".join(answer_sentences(answer)[1])


def test_splits_trades_and_next_runs_say_it_too(fit):
    sizes = unfitted(load_model("params_tokens"), benchmarks=2, mixtures=1, ratios=(5.0, 20.0, 80.0))
    note = bs.allocate(sizes, 1e5 * largest(sizes), benchmark="benchmark 00", **GO_ON).attrs["note"]
    assert f"benchmark 00: {FAR}" in note and "<" not in note
    passing = unfitted(load_model("pass_at_k"), benchmarks=1, mixtures=1)
    easy, hard = (bs.trade(passing, t, queries=1e6, tokens_per_sample=100, **GO_ON) for t in (0.05, 0.999))
    assert FAR not in easy.attrs["note"]
    assert "draws never reach" in hard.attrs["note"]
    plan = bs.plan_runs(flops=[1e5 * largest(fit)], benchmark="benchmark 00", mixture=fit.runs["mixture"].iloc[0])
    candidates = bs.plan_runs(flops=[1e20, 1e21], benchmark="benchmark 00", mixture=fit.runs["mixture"].iloc[0])
    assert FAR in bs.next_runs(fit, candidates, plan, number=1, **GO_ON).attrs["note"]


def test_commands_print_it(falling, tmp_path):
    falling.save(tmp_path / "fit.nc")
    asked = [str(tmp_path / "fit.nc"), "--seed", "1", "--even-if-not-converged"]
    for command, more in (("compute-for", ["--target", "0.5"]), ("elasticity", ["--flops", "1e22"])):
        done = CliRunner().invoke(main, [command, *asked, *more])
        assert done.exit_code == 0, done.output
        assert f"note: benchmark 00: {FALLING}"[:60] in done.output
