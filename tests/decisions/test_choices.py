"""Rankings, allocations, trades and next runs, against answers that are known."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from simulate import failed, small_fit, unfitted

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.decisions.local_misfit import local_misfit
from bayes_scaling.decisions.next_training import _greedy
from bayes_scaling.decisions.rankings import _ranked
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.models.documents import from_document, load_model, to_document

GO_ON = {"seed": 1, "even_if_not_converged": True}


@pytest.fixture(scope="module")
def fit():
    return small_fit()


@pytest.fixture(scope="module")
def sizes_fit():
    return unfitted(load_model("params_tokens"), benchmarks=2, mixtures=1, ratios=(5.0, 20.0, 80.0))


@pytest.fixture(scope="module")
def passing():
    return unfitted(load_model("pass_at_k"), benchmarks=1, mixtures=1)


def test_a_ranking_of_known_draws():
    scores = np.array([[[0.5, 0.6, 0.7, 0.8], [0.4, 0.7, 0.6, 0.7], [0.1, 0.1, 0.1, 0.1]]])
    found = {name: values for name, (_, values) in _ranked(scores).items()}
    np.testing.assert_allclose(found["score"], [[0.65, 0.6, 0.1]])
    np.testing.assert_allclose(found["best"], [[0.75, 0.25, 0]])
    np.testing.assert_allclose(found["beats"][0], [[0.5, 0.75, 1], [0.25, 0.5, 1], [0, 0, 0.5]])
    np.testing.assert_allclose(found["regret"], [[0.025, 0.075, 0.575]])
    assert found["tied"].tolist() == [[True, True, False]]


def test_draws_that_are_equal_share_the_first_place():
    found = {name: values for name, (_, values) in _ranked(np.full((1, 2, 8), 0.5)).items()}
    np.testing.assert_allclose(found["best"], 0.5)
    np.testing.assert_allclose(found["beats"], 0.5)
    assert np.isinf(found["signal_to_noise"]).all() and found["detectable"] == 0


def test_a_ranking_of_a_fit_is_that_of_its_forecast(fit):
    found = bs.rank(fit, "1e22", **GO_ON)
    tests = sorted(fit.runs["benchmark"].unique())
    assert len(found["benchmark"]) == len(tests) + 1 and len(found["mixture"]) == 2
    np.testing.assert_allclose(found["best"].sum("mixture"), 1)
    first, second = found["mixture"].to_numpy()
    plans = [bs.plan_runs(flops="1e22", benchmark=tests, mixture=mix) for mix in (first, second)]
    ahead = bs.forecast(fit, pd.concat(plans, ignore_index=True), **GO_ON)
    draws = row_draws(ahead["accuracy_mean"]).reshape(2, len(tests), -1).mean(axis=1)
    share = float((draws[0] > draws[1]).mean())
    assert found["beats"].sel(mixture=first, other=second)[-1].item() == pytest.approx(share, abs=0.01)
    table = bs.summarise_ranking(found)
    assert table["tied"].iloc[0] and set(table["mixture"]) == {first, second}


def test_an_average_may_be_of_one_benchmark_alone(fit):
    tests = list(fit.runs["benchmark"].unique())
    weights = dict.fromkeys(tests, 0.0) | {tests[2]: 1.0}
    found = bs.rank(fit, "1e22", weights=weights, **GO_ON)
    np.testing.assert_allclose(found["score"][-1], found["score"].sel(benchmark=tests[2]))


def test_single_runs_are_called_less_surely(fit):
    sure, unsure = (bs.rank(fit, "1e22", new_run=new, **GO_ON)["detectable"] for new in (False, True))
    assert (unsure > sure).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"mixture": "mixture 0"}, "two mixtures"), ({"weights": {"x": 1}}, "weights must name"),
     ({"benchmark": "nothing"}, "no benchmark 'nothing'")],
)  # fmt: skip
def test_bad_questions_of_a_ranking_are_refused(fit, change, message):
    with pytest.raises(DataError, match=message):
        bs.rank(fit, "1e22", **change, **GO_ON)


def test_the_best_split_of_a_known_law_is_found():
    """Where the law is N^-a + D^-a with equal weights at 20 tokens per parameter, the best split has that ratio."""
    document = to_document(load_model("params_tokens"))
    document["varies"] = {"A": {"benchmark": 0.7}}
    document["fixed"] = document["fixed"] | {"alpha": 0.3, "beta": 0.3, "share": 0.5}
    known = unfitted(from_document(document), benchmarks=2, mixtures=1, ratios=(5.0, 20.0, 80.0))
    found = bs.allocate(known, "1e21", benchmark="benchmark 00", **GO_ON)
    step = (2000 / 0.5) ** (1 / 48)
    assert found.attrs["recommended_tokens"] / found.attrs["recommended_params"] == pytest.approx(20, rel=step - 1)
    near = np.abs(np.log(found["tokens_per_param"] / 20)) <= np.log(step)
    assert near.mean() > 0.9  # in the others every split scores 1 to the last digit
    assert 6 * found.attrs["recommended_params"] * found.attrs["recommended_tokens"] == pytest.approx(1e21, rel=0.02)
    assert float(found["missed"].max()) < 1e-9
    used = bs.allocate(known, "1e21", benchmark="benchmark 00", inference_tokens="1T", **GO_ON)
    params, tokens = (used.attrs[f"recommended_{name}"] for name in ("params", "tokens"))
    assert 6 * params * tokens + 2 * params * 1e12 == pytest.approx(1e21, rel=0.02)
    assert tokens / params > 20  # a smaller model is cheaper to use


def test_the_budget_of_a_target_reaches_it(sizes_fit):
    split = bs.allocate(sizes_fit, "3e20", benchmark="benchmark 00", **GO_ON)
    target = float(np.median(split["outcome"].max()))
    found = bs.allocate(sizes_fit, target=target, benchmark="benchmark 00", **GO_ON)
    assert 3e19 < found.attrs["recommended_budget"] < 3e21
    table = bs.summarise_allocation(found)
    assert table.loc["budget", "lower_80"] <= table.loc["budget", "recommended"] <= table.loc["budget", "upper_80"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({}, "either a budget or a target"), ({"budget": 1e21, "target": 0.5}, "either a budget or a target"),
     ({"budget": "1e21"}, "name a benchmark"), ({"budget": -1, "benchmark": "benchmark 00"}, "positive"),
     ({"target": 1.5, "benchmark": "benchmark 00"}, "between 0 and 1")],
)  # fmt: skip
def test_bad_questions_of_an_allocation_are_refused(sizes_fit, arguments, message):
    with pytest.raises(DataError, match=message):
        bs.allocate(sizes_fit, **arguments, **GO_ON)


def test_a_law_of_compute_cannot_split_a_budget(fit):
    with pytest.raises(DataError, match="needs a law of parameters and tokens"):
        bs.allocate(fit, "1e22", benchmark="benchmark 00")


def test_a_trade_adds_what_it_says_and_is_cheapest_somewhere(passing):
    found = bs.trade(passing, 0.5, queries=1e6, tokens_per_sample=1000, k=(1, 4, 16), **GO_ON)
    flops, cost, params = (found[name] for name in ("flops", "cost", "params"))
    finite = np.isfinite(cost)
    np.testing.assert_allclose(
        cost.where(finite), (flops + 1e6 * found["k"] * 2 * params * 1000).where(finite), rtol=1e-12
    )
    assert (np.diff(np.nan_to_num(flops, posinf=1e300), axis=0) <= 0).all()  # more samples need no more training
    never = np.isinf(cost).all(("k", "tokens_per_param")).mean().item()
    assert found["cheapest"].sum().item() == pytest.approx(1 - never, abs=1e-9)


def test_many_queries_make_samples_dear(passing):
    few, many = (bs.trade(passing, 0.5, queries=q, tokens_per_sample=1000, **GO_ON)["cheapest"] for q in (1e2, 1e12))
    k = few["k"]
    assert float((few * k).sum() / few.sum()) > float((many * k).sum() / many.sum())


def test_a_new_run_is_less_certain_than_the_expectation(passing):
    use = {"queries": 1e6, "tokens_per_sample": 1000, "k": (4,), **GO_ON}
    found = [bs.trade(passing, 0.3, new_run=one, **use)["flops"].to_numpy() for one in (False, True)]
    expected, single = (np.log10(np.quantile(flops, [0.25, 0.5, 0.75], method="higher")) for flops in found)
    assert single[2] - single[0] > expected[2] - expected[0]
    assert single[1] == pytest.approx(expected[1], abs=single[2] - single[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [({"target": 2}, "between 0 and 1"), ({"k": [1.5]}, "whole numbers"),
     ({"tokens_per_param": [20, 200]}, "compute alone"), ({"queries": 0}, "positive")],
)  # fmt: skip
def test_bad_questions_of_a_trade_are_refused(passing, change, message):
    with pytest.raises(DataError, match=message):
        bs.trade(passing, **({"target": 0.5, "queries": 1e6, "tokens_per_sample": 500} | change), **GO_ON)


def test_a_trade_needs_a_law_of_tries(fit):
    with pytest.raises(DataError, match=r"pass@k"):
        bs.trade(fit, 0.5, queries=1, tokens_per_sample=1, benchmark="benchmark 00", mixture="mixture 0", **GO_ON)


def test_what_an_outcome_tells_is_that_of_normal_theory():
    """A target with variance 1, seen with noise of variance 1, keeps half its variance; unrelated, all."""
    covariance, runs = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array(["near", "far"])
    rows = _greedy(covariance, covariance, np.eye(2), runs, np.ones(2), 2, np.inf)
    assert [row[0] for row in rows] == ["near", "far"]
    assert [row[4] ** 2 for row in rows] == pytest.approx([0.5, 0.5], abs=1e-6)
    dear = _greedy(covariance, covariance, 0 * np.eye(2), runs, np.array([2.0, 1.0]), 2, 1.5)
    assert [row[0] for row in dear] == ["far"]


def test_what_a_law_may_miss_is_told_by_runs_close_by(fit):
    """What is missed at a plan is known where there was a run, unknown far from all, and half shared by a mixture."""
    own = fit.runs[(fit.runs["benchmark"] == "benchmark 00") & (fit.runs["mixture"] == "mixture 0")]
    flops = own["flops"].max() * np.array([1.0, 1e3, 1e3, 1e3])
    mixtures = ["mixture 0", "mixture 0", "mixture 1", "mixture 0"]
    rows = pd.DataFrame({"flops": flops, "benchmark": "benchmark 00", "mixture": mixtures})
    known = local_misfit(fit, rows, noise=1e-6)
    assert np.diag(known) == pytest.approx([0, 1, 1, 1], abs=1e-4)
    assert known[1] == pytest.approx([0, 1, 0.5, 1], abs=1e-4)
    assert local_misfit(fit, rows, noise=1e6)[0, 0] == pytest.approx(1, abs=1e-3)


def test_runs_near_the_goal_tell_more_and_cheap_ones_come_first(fit):
    plan = bs.plan_runs(flops=["1e19", "1e21", "1e22"], benchmark="benchmark 00", mixture="mixture 0")
    goal = bs.plan_runs(flops="3e22", benchmark="benchmark 00", mixture="mixture 0")
    alike = bs.next_runs(fit, plan.assign(price=1.0), goal, number=3, cost="price", **GO_ON)
    assert alike["run"].iloc[0] == plan["run"].iloc[2]
    assert (alike["sd_after"] <= alike["sd_before"] + 1e-12).all() and alike["share"].iloc[-1] < 1
    assert bs.next_runs(fit, plan, goal, budget="5e21", **GO_ON)["total_cost"].max() <= 5e21


def test_a_difference_may_be_the_target(fit):
    plan = bs.plan_runs(flops="1e21", benchmark="benchmark 00", mixture=["mixture 0", "mixture 1"])
    goal = bs.plan_runs(flops="1e22", benchmark="benchmark 00", mixture=["mixture 0", "mixture 1"])
    chosen = bs.next_runs(fit, plan, goal.assign(weight=[1, -1]), number=2, **GO_ON)
    assert chosen["share"].iloc[-1] < chosen["share"].iloc[0] < 1


def test_answers_carry_what_they_rest_on(fit, passing):
    answers = [bs.rank(fit, "1e22", **GO_ON), bs.trade(passing, 0.5, queries=1, tokens_per_sample=1, **GO_ON)]
    for found in answers:
        assert {"model", "verdict", "converged", "runs_sha256", "largest_flops", "n_runs", "track_record"} <= set(
            found.attrs
        )


def test_no_decision_from_a_fit_that_failed(fit):
    plan = bs.plan_runs(flops="1e21", benchmark="benchmark 00", mixture="mixture 0")
    for ask in (lambda f: bs.rank(f, "1e22"), lambda f: bs.next_runs(f, plan, plan, number=1)):
        with pytest.raises(FitError):
            ask(failed(fit))


def test_figures_of_choices(fit, passing, tmp_path):
    plan = bs.plan_runs(flops=["1e19", "1e21"], benchmark="benchmark 00", mixture="mixture 0")
    figures = [
        bs.plot_ranking(bs.rank(fit, "1e22", **GO_ON)),
        bs.plot_trade(bs.trade(passing, 0.5, queries=1e6, tokens_per_sample=1000, **GO_ON)),
        bs.plot_next_runs(bs.next_runs(fit, plan, plan, number=2, **GO_ON)),
    ]
    for number, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{number}.svg")
        assert (tmp_path / f"{number}.svg").stat().st_size > 5000
        said = " ".join([figure.get_suptitle(), *(text.get_text() for text in figure.texts)]).replace("\n", " ")
        assert all(part in said for part in (" fitted to ", " up to ", "track record: ", "r-hat"))
    bare = bs.next_runs(fit, plan, plan, number=1, **GO_ON)
    bare.attrs.clear()
    assert any("attributes were lost" in text.get_text() for text in bs.plot_next_runs(bare).texts)
    for draw in (bs.plot_ranking, bs.plot_trade, bs.plot_next_runs):
        with pytest.raises(DataError, match="needs what bs"):
            draw("nothing")


@pytest.fixture(scope="module")
def saved(tmp_path_factory, fit, sizes_fit, passing):
    folder = tmp_path_factory.mktemp("fits")
    for name, found in (("fit", fit), ("sizes", sizes_fit), ("pass", passing)):
        found.save(folder / f"{name}.nc")
    bs.plan_runs(flops=["1e20", "1e21"], benchmark="benchmark 00", mixture="mixture 0").to_csv(
        folder / "plan.csv", index=False
    )
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [("rank fit.nc --flops 1e22 --seed 1 --out t.csv --plot f.png", "smallest difference that these data tell"),
     ("allocate sizes.nc --budget 1e22 --benchmark,benchmark 00 --seed 1", "tokens_per_param"),
     ("trade pass.nc --target 0.5 --queries 1M --tokens-per-sample 500 --k 1 --k 8 --seed 1 --plot f.svg", "cheapest"),
     ("next-runs fit.nc plan.csv --target plan.csv --number 1 --seed 1 --plot g.png", "part of its variance"),
     ("worth fit.nc --flops 1e22 --mixture,mixture 0 --seed 1", "size of a test")],
)  # fmt: skip
def test_commands_of_choices(saved, monkeypatch, words, said):
    monkeypatch.chdir(saved)
    arguments = [part for word in words.split(" --") for part in _split(word)]
    result = CliRunner().invoke(main, [*arguments, "--force"])
    assert result.exit_code == 0, result.output
    assert said in " ".join(result.output.split())
    assert all(len(line) <= 110 for line in result.output.splitlines())


def _split(word):
    """An option with its value, which may hold blanks after a comma, or the command with its files."""
    name, comma, value = word.partition(",")
    if comma:
        return [f"--{name}", value]
    first, *rest = word.split()
    return [first, *rest] if first in main.commands else [f"--{first}", *rest]


def test_a_command_says_when_nothing_lies_within_the_budget(saved, monkeypatch):
    monkeypatch.chdir(saved)
    asked = ["next-runs", "fit.nc", "plan.csv", "--target", "plan.csv", "--budget", "1e3", "--seed", "1"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code != 0 and "within the budget" in result.output
