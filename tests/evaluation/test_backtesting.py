"""Backtests: the same scores wherever they are computed, nothing lost when something fails, everything named."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import joblib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulate import asked, grid, simulate

import bayes_scaling as bs
from bayes_scaling.errors import DataError, FileError, ScalingWarning
from bayes_scaling.evaluation.backtest.shards import shard_of
from bayes_scaling.evaluation.refits import parallel as dispatch
from bayes_scaling.evaluation.refits.task import found_in, run_task
from bayes_scaling.laws import ops
from bayes_scaling.laws.likelihoods import LIKELIHOODS, likelihood
from bayes_scaling.laws.parameters import positive, real
from bayes_scaling.laws.registry import C0, LAWS, law
from bayes_scaling.models.documents import from_document, load_model, to_document

pytestmark = pytest.mark.filterwarnings("ignore:.*did not converge:bayes_scaling.errors.ScalingWarning")
QUICK = {"seed": 1, "chains": 2, "draws": 50, "tune": 60, "attempts": 1, "n_jobs": 1, "progress": False}
SETTINGS = {"chains": 2, "draws": 50, "tune": 60, "thin": None, "target_accept": None, "attempts": 1}


def small(name="small", **words):
    document = to_document(load_model("power_law")) | {"name": name, "varies": {"A": {"benchmark": 0.7}}} | words
    return from_document(document)


@cache
def simulated():
    table = grid(benchmarks=2, mixtures=2, sizes=6)
    return simulate(small(), table, 1, np.random.default_rng(3)).runs(table)


def splits():
    return bs.split_above(simulated()) + bs.split_groups(simulated(), "mixture")


@cache
def reference():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        return bs.backtest(small(), simulated(), splits(), baselines="direct", **QUICK)


def same(one, other):
    """Whether two backtests agree to the last digit."""
    pd.testing.assert_frame_equal(one.scores, other.scores, check_exact=True)
    left = ["law", "split", "runs_fitted", "rows_forecast", "decades_beyond", "converged", "verdict", "problem"]
    pd.testing.assert_frame_equal(one.shards[left], other.shards[left], check_exact=True)
    assert one.forecasts.keys() == other.forecasts.keys()
    for key, ahead in one.forecasts.items():
        xr.testing.assert_identical(ahead.drop_attrs(), other.forecasts[key].drop_attrs())


def test_a_backtest_is_the_fits_and_forecasts_that_one_would_make_by_hand():
    past, runs = reference(), simulated()
    split = past.splits[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        found = bs.fit(small(), runs[split.fitted], **{k: v for k, v in QUICK.items() if k != "n_jobs"}, cores=1)
    later = runs[split.held_out].reset_index(drop=True)
    ahead = bs.forecast(found, later, seed=1, even_if_not_converged=True)
    own = past.scores[(past.scores["law"] == "small") & (past.scores["split"] == split.name)]
    table = bs.score_forecast(ahead, later)
    for column in ("run", "benchmark", "observed", "decades_beyond"):
        assert own[column].tolist() == table[column].tolist()
    for column in ("error", "crps", "pit", "width_80"):
        np.testing.assert_allclose(own[column], table[column], atol=1e-6)  # forecasts are kept in single precision


def test_tables_say_what_was_done():
    past = reference()
    assert past.shards.groupby("law", sort=False).size().to_dict() == {"small": 3, "direct": 3}
    row = past.shards.iloc[0]
    assert (row["runs_fitted"], row["runs_forecast"], row["rows_forecast"]) == (8, 4, 8)
    farthest = simulated()["flops"].max() / simulated()["flops"][past.splits[0].fitted].max()
    assert row["decades_beyond"] == pytest.approx(np.log10(farthest))
    assert list(past.scores)[:3] == ["law", "split", "converged"]
    assert {"run", "benchmark", "mixture", "crps", "log_density", "inside_95"} <= set(past.scores)
    summary = past.summary(["law", "split"])
    assert summary[["law", "split"]].values.tolist() == past.scores[["law", "split"]].drop_duplicates().values.tolist()
    first = past.scores[(past.scores["law"] == "small") & (past.scores["split"] == past.splits[0].name)]
    assert summary["mae"][0] == pytest.approx(first["error"].abs().mean())
    assert summary["cover_80"][0] == pytest.approx(first["inside_80"].mean())


def test_densities_are_those_of_fits():
    past = reference()
    own = past.scores[past.scores["law"] == "small"]
    assert np.isfinite(own["log_density"]).all()
    assert np.corrcoef(own["log_density"], -own["log_score"])[0, 1] > 0.8  # a kernel estimate from the same draws
    assert past.scores.loc[past.scores["law"] == "direct", "log_density"].isna().all()


def test_a_failed_verdict_is_named_and_its_scores_stay():
    with pytest.warns(
        ScalingWarning, match=r"^1 of 2 shards of the backtest did not converge: small \(flops ≤ 6.01e19"
    ):
        past = bs.backtest(small(), simulated(), splits()[0], baselines="direct", **QUICK | {"draws": 10})
    assert past.shards["converged"].tolist() == [False, True]
    assert past.shards["verdict"][0].startswith("NOT CONVERGED: ")
    assert "small, flops ≤ 6.01e19: NOT CONVERGED: r-hat" in repr(past)
    assert past.scores.groupby("law")["converged"].agg(["any", "size"]).loc["small"].tolist() == [False, 8]


def test_a_shard_that_is_refused_is_named_and_the_others_are_there():
    with pytest.warns(
        ScalingWarning, match=r"2 of 6 .* gave no forecast: direct \(without mixture mixture 0\): no run has"
    ):
        past = bs.backtest(small(), simulated(), splits(), baselines="direct", **QUICK)
    refused = past.shards[past.shards["problem"] != ""]
    assert refused["split"].tolist() == ["without mixture mixture 0", "without mixture mixture 1"]
    assert set(refused["law"]) == {"direct"}
    assert "direct, without mixture mixture 0: no run has a score for" in repr(past)
    assert past.scores.groupby("law")["split"].nunique().to_dict() == {"small": 3, "direct": 1}
    assert "traceback" not in past.shards


def test_if_every_shard_is_refused_that_is_an_error():
    with pytest.raises(DataError, match=r"^no forecast could be made: direct, without mixture mixture 0: no run has a"):
        bs.backtest([], simulated(), splits()[1:], baselines="direct", **QUICK)


WRONG = [
    ({"baselines": "alchemy"}, r"baselines must be of direct, .*; got \['alchemy'\]"),
    ({"models": [small(), small()]}, r"needs laws with names of their own, got \['small', 'small'\]"),
    ({"models": []}, r"needs laws with names of their own, got \[\]"),
    ({"response": "bpb"}, r"response must be one of accuracy, loss, pass_at_k, not 'bpb'"),
    ({"response": "pass_at_k"}, r"^small cannot forecast pass_at_k$"),
    ({"baselines": ["direct", "repeated_sampling"]}, r"^repeated_sampling cannot forecast accuracy$"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_what_cannot_be_is_refused_before_anything_is_fitted(changed, said):
    given = {"models": small(), "runs": simulated(), "splits": splits()[0]} | QUICK | changed
    with pytest.raises(DataError, match=said):
        bs.backtest(**given)


def test_an_estimator_that_has_the_name_of_a_model_is_told_apart():
    past = bs.backtest(small("direct"), simulated(), splits()[0], baselines=["direct"], **QUICK)
    assert past.shards["law"].tolist() == ["direct", "direct (published)"]
    assert past.scores.groupby("law", sort=False)["log_density"].count().tolist() == [8, 0]


@cache
def tried():
    """pass@k of a small table, with what was measured from problems in rows of their own."""
    model = replace(load_model("pass_at_k"), name="small")
    table = asked(model, grid(benchmarks=2, mixtures=1, sizes=6))
    return model, simulate(model, table, 1, np.random.default_rng(5)).runs(table)


def test_pass_at_k_is_scored_by_k():
    model, runs = tried()
    past = bs.backtest(model, runs, bs.split_above(runs), response="pass_at_k", baselines="repeated_sampling", **QUICK)
    assert sorted(past.scores["k"].unique()) == [1, 8, 64]
    table = bs.summarise_scores(past.scores, by=["law", "k"])
    assert table[table["score"] == "crps"][["law", "k"]].values.tolist() == [
        [law, k] for law in ("small", "repeated_sampling") for k in (1.0, 8.0, 64.0)
    ]
    own = past.scores[past.scores["law"] == "small"]
    pairs = own.merge(runs[["run", "benchmark", "k", "score"]], on=["run", "benchmark", "k"])
    assert len(pairs) == len(own)
    assert pairs["observed"].tolist() == pairs["score"].tolist()


# Where it runs


def counted(backtest):
    """Threads that every library had while a shard was fitted, and what nutpie was asked for."""
    import nutpie
    from threadpoolctl import threadpool_info

    seen, sample = [], nutpie.sample

    def looked(*arguments, **settings):
        seen.append(({pool["num_threads"] for pool in threadpool_info()}, settings["cores"]))
        return sample(*arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nutpie, "sample", looked)
        found = backtest()
    return found, seen


def limits():
    from threadpoolctl import threadpool_info

    return sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info())


@pytest.mark.filterwarnings("ignore:.*gave no forecast:bayes_scaling.errors.ScalingWarning")
def test_threads_give_the_same_with_one_thread_each_and_leave_no_trace():
    before, filters = limits(), list(warnings.filters)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        past, seen = counted(
            lambda: bs.backtest(small(), simulated(), splits(), baselines="direct", **QUICK | {"n_jobs": None})
        )
    same(past, reference())
    assert seen == [({1}, 1)] * 3
    assert limits() == before
    assert warnings.filters == filters


@pytest.mark.filterwarnings("ignore:.*gave no forecast:bayes_scaling.errors.ScalingWarning")
def test_backends_that_give_all_at_the_end_are_asked_for_some_at_a_time(tmp_path, monkeypatch):
    """Ray is such a backend."""
    from joblib._parallel_backends import ThreadingBackend
    from joblib.parallel import BACKENDS

    class AtTheEnd(ThreadingBackend):
        supports_return_generator = False

    monkeypatch.setitem(BACKENDS, "at_the_end", AtTheEnd)
    kept, run = [], dispatch.run_task
    monkeypatch.setattr(dispatch, "run_task", lambda s: kept.append(len(list(tmp_path.glob("*.nc")))) or run(s))
    with joblib.parallel_config(backend="at_the_end", n_jobs=2):
        past = bs.backtest(
            small(), simulated(), splits(), baselines="direct", folder=tmp_path, **QUICK | {"n_jobs": None}
        )
    same(past, reference())
    assert max(kept) > 0  # some were kept before others began


def on_two_workers(call):
    """A page of benchmarks/CLUSTER.md, on a cluster of two processes of this machine."""
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        return call()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*gave no forecast:bayes_scaling.errors.ScalingWarning")
def test_processes_give_the_same(s_curve):
    law, _ = s_curve
    given = ([small(), law], simulated(), splits())
    alone = bs.backtest(*given, baselines="direct", **QUICK)
    assert set(alone.scores["law"]) == {"small", "mine", "direct"}
    same(bs.backtest(*given, baselines="direct", **QUICK | {"n_jobs": 2}), alone)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*gave no forecast:bayes_scaling.errors.ScalingWarning")
def test_a_cluster_of_dask_gives_the_same(s_curve, tmp_path):
    law, _ = s_curve
    given = ([small(), law], simulated(), splits())
    alone = bs.backtest(*given, baselines="direct", **QUICK)

    def call():
        return bs.backtest(*given, baselines="direct", folder=tmp_path, **QUICK | {"n_jobs": None})

    same(on_two_workers(call), alone)
    assert len(list(tmp_path.glob("*.nc"))) == 7


def dies(shard):
    if "mixture 1" in shard.split:
        os._exit(1)
    return run_task(shard)


@pytest.mark.slow
def test_a_worker_that_dies_takes_one_shard_with_it(monkeypatch):
    """Joblib's own dask backend would wait for it for ever."""
    import dask

    monkeypatch.setattr(dispatch, "run_task", dies)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.warns(ScalingWarning, match=r"gave no forecast: small \(without mixture mixture 1\): KilledWorker"),
    ):
        past = on_two_workers(lambda: bs.backtest(small(), simulated(), splits()[::2], **QUICK | {"n_jobs": None}))
    assert set(past.scores["split"]) == {splits()[0].name}


# Laws of one's own

LAW = {"name": "mine", "responses": [{"response": "accuracy", "law": "s_curve > accuracy", "likelihood": "my_scores"}]}


def register(steepest=3.0, half=2.0):
    """An S-shaped curve and a likelihood, as a user would write them in a notebook."""

    @law
    def s_curve(
        flops,
        *,
        midpoint=real(-2.0, 2.0, "decades of compute beyond 1e20 FLOPs where half is reached", spread=1.0),
        steepness=positive(0.5, steepest, "log odds gained per decade of compute", spread=0.3),
    ):
        """Accuracy that climbs an S-shaped curve in the logarithm of compute."""
        return ops.softplus(-steepness * (ops.log(flops / C0) / ops.log(10.0) - midpoint / half))

    @likelihood(lambda score, n_items: score, lambda value, n_items: np.clip(value, 0, 1))
    def my_scores(mean, *, width=positive(0.005, 0.1, "scale of the scatter")):
        """Scores that scatter alike wherever they are."""
        import pymc as pm

        return pm.Normal, {"mu": mean, "sigma": width}

    return from_document(LAW)


@pytest.fixture
def s_curve(monkeypatch):
    """A model whose law and likelihood are known to this process for the time of a test."""
    monkeypatch.setitem(LAWS, "s_curve", None)
    monkeypatch.setitem(LIKELIHOODS, "my_scores", None)
    return register(), monkeypatch


def shard(model, **changed):
    one = shard_of(model.name, model, splits()[0], simulated(), "accuracy", 1, SETTINGS)
    return replace(one, **changed)


def test_laws_and_likelihoods_of_ones_own_travel_with_their_shard(s_curve):
    from joblib.externals.loky.backend.reduction import dumps

    law, monkeypatch = s_curve
    sent = dumps(shard(law))
    there = run_task(shard(law))
    for registry, name in ((LAWS, "s_curve"), (LIKELIHOODS, "my_scores")):
        monkeypatch.delitem(registry, name)
    found = run_task(pickle.loads(sent))
    assert found_in(found)["problem"] == ""
    xr.testing.assert_equal(found.drop_vars("log_density"), there.drop_vars("log_density"))
    assert "s_curve" not in LAWS  # a worker that kept it would miss that it changed
    assert "my_scores" not in LIKELIHOODS


def test_a_law_that_changed_is_another_shard(s_curve):
    keys = {shard(model).key for model in (register(), register(), register(steepest=4.0), register(half=3.0))}
    assert len(keys) == 3
    assert shard(register()).key == shard(s_curve[0]).key


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"law": "other"},
        {"what": "other"},
        {"response": "pass_at_k"},
        {"settings": SETTINGS | {"draws": 51}},
        {"known": simulated().iloc[:-9]},
        {"later": simulated().iloc[:3]},
        {"document": to_document(small(fixed={"alpha": 0.2}))},
    ],
)
def test_a_shard_is_known_by_all_that_its_result_depends_on(changed):
    one = shard(small())
    assert replace(one, **changed).key != one.key
    assert replace(one).key == one.key


def register_broken(error):
    """A law that raises where the small model of the tests does not."""

    @law
    def s_curve(flops, *, midpoint=real(-2.0, 2.0, "what breaks")):
        if isinstance(flops, np.ndarray | xr.Variable):  # not while the graph is built: in the forecast
            raise error
        return ops.softplus(-midpoint * ops.log(flops / C0))

    return from_document({"name": "broken", "responses": [LAW["responses"][0] | {"likelihood": "normal"}]})


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), TypeError("a plain bug")])
def test_an_error_in_one_law_loses_no_other(s_curve, tmp_path, error):
    broken = register_broken(error)
    name = type(error).__name__
    with pytest.warns(
        ScalingWarning, match=rf"1 of 2 .* gave no forecast: broken \(flops ≤ 6.01e19\): {name}: {error}"
    ):
        past = bs.backtest([broken, small()], simulated(), splits()[0], folder=tmp_path, **QUICK)
    assert set(past.scores["law"]) == {"small"}
    assert past.shards["problem"].tolist() == [f"{name}: {error}", ""]
    assert "in s_curve" in past.shards["traceback"][0]
    assert f"broken, flops ≤ 6.01e19: {name}: {error}" in repr(past)
    (kept,) = tmp_path.glob("*.nc")  # what failed is tried again
    assert found_in(xr.load_dataset(kept))["law"] == "small"


# What is kept

SCRIPT = """
import sys
sys.path[:0] = {tests!r}
import warnings
warnings.simplefilter("ignore")
import test_backtesting as t
import bayes_scaling as bs
from bayes_scaling.evaluation.refits import parallel as dispatch
run = dispatch.run_task
def slow(shard):
    import time
    found = run(shard)
    time.sleep(1.0)
    return found
dispatch.run_task = slow
bs.backtest(t.small(), t.simulated(), t.splits(), folder={folder!r}, **t.QUICK)
"""


def test_a_backtest_that_is_killed_goes_on_where_it_was(tmp_path):
    code = SCRIPT.format(tests=[str(folder) for folder in Path(__file__).parents[:2]], folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    until = time.monotonic() + 120
    while not (kept := list(tmp_path.glob("*.nc"))) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, said
    assert 1 <= len(kept) < 3
    before = {path: path.stat().st_mtime_ns for path in kept}
    past = bs.backtest(small(), simulated(), splits(), folder=tmp_path, **QUICK)
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert len(list(tmp_path.glob("*.nc"))) == 3
    same(past, bs.backtest(small(), simulated(), splits(), **QUICK))


def test_a_damaged_shard_is_done_again_and_others_are_left_alone(tmp_path, monkeypatch):
    given = (small(), simulated(), splits()[:2])
    first = bs.backtest(*given, folder=tmp_path, **QUICK)
    bs.backtest(*given, folder=tmp_path, **QUICK | {"seed": 2})
    kept = {path: path.read_bytes() for path in sorted(tmp_path.glob("*.nc"))}
    assert len(kept) == 4
    wrong = sorted(tmp_path / f"{s.key}.nc" for s in (shard(small()),))[0]
    empty = xr.Dataset()
    for damage in (lambda: wrong.write_bytes(kept[wrong][:-100]), lambda: empty.to_netcdf(wrong, engine="h5netcdf")):
        wrong.unlink()
        damage()
        done = []
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "run_task", lambda s, done=done: done.append(s.split) or run_task(s))
            same(bs.backtest(*given, folder=tmp_path, **QUICK), first)
        assert done == [splits()[0].name]
    assert {path: path.read_bytes() for path in kept if path != wrong} == {p: b for p, b in kept.items() if p != wrong}


def test_an_edited_shard_is_refused_by_name(tmp_path):
    given = (small(), simulated(), splits()[:1])
    bs.backtest(*given, folder=tmp_path, **QUICK)
    (path,) = tmp_path.glob("*.nc")
    with h5py.File(path, "a") as file:
        file["accuracy"][...] = 0.99
    with pytest.raises(FileError, match=rf"{path.name}: changed since it was kept; delete it"):
        bs.backtest(*given, folder=tmp_path, **QUICK)
    path.unlink()
    bs.backtest(*given, folder=tmp_path, **QUICK)


def test_jobs_can_share_a_folder_and_the_work(tmp_path, monkeypatch):
    for split in splits():
        bs.backtest(small(), simulated(), split, folder=tmp_path, **QUICK)
    monkeypatch.setattr(dispatch, "run_task", lambda s: pytest.fail("all of it is done"))
    same(
        bs.backtest(small(), simulated(), splits(), folder=tmp_path, **QUICK),
        bs.backtest(small(), simulated(), splits(), folder=tmp_path, **QUICK),
    )


def test_a_model_is_compiled_once_and_reused_by_every_refit(monkeypatch, tmp_path):
    from bayes_scaling.inference.compiled import density

    name, written = f"bayes_scaling_density_{density._key(small())}", []
    monkeypatch.setenv("BAYES_SCALING_CACHE", str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(density, "_source", lambda model, made=density._source: written.append(1) or made(model))
    bs.backtest(small(), simulated(), splits(), **QUICK)
    assert len(written) == 1
    assert name in sys.modules


def test_progress_is_shown_on_the_error_stream_where_it_is_asked_for(capsys):
    for shown in (True, False):
        bs.backtest([], simulated(), splits()[0], baselines="direct", **QUICK | {"progress": shown})
        out, err = capsys.readouterr()
        assert out == ""
        assert ("backtest" in err and "100%" in err) is shown
        assert shown or err.strip() == ""


def test_results_are_plain_enough_to_be_kept(tmp_path):
    found = run_task(shard(small()))
    found.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "one.nc", engine="h5netcdf")
    xr.testing.assert_equal(found, again)
    assert json.loads(again.attrs["backtest"]) == found_in(found)
    assert found["accuracy"].dtype == "float32"
