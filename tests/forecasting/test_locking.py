"""Locked forecasts: all comes back, every change shows, hashes are of content alone, scores wait for the outcome."""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import small_fit, unfitted

import bayes_scaling as bs
from bayes_scaling.data.fingerprints import table_sha256
from bayes_scaling.data.runs import validate
from bayes_scaling.errors import DataError, FileError, ScalingWarning
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.files.digests import canonical
from bayes_scaling.files.writing import write_whole
from bayes_scaling.forecasting import locking
from bayes_scaling.forecasting.provenance import PROVENANCE
from bayes_scaling.forecasting.summaries import average_benchmarks
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.models.documents import load_model, to_document

KNOWN = ["benchmark 00", "benchmark 03"]


def plan(benchmark=KNOWN, **size):
    size = size or {"params": ["7B", "13B", "26B"], "tokens": ["140B", "260B", "520B"]}
    return bs.plan_runs(**size, benchmark=benchmark, mixture="mixture 0", chance=0.25)


@cache
def ahead():
    return bs.forecast(small_fit(), plan(), seed=1).isel(draw=slice(100))


def averaged():
    other = replace(small_fit(), model=replace(small_fit().model, name="other"))
    return Average((small_fit(), other), {"power_law": 0.4, "other": 0.6})


def outcome(asked=None, score=0.6):
    """What the planned runs reached, in full columns as `read_runs` gives them."""
    asked = plan() if asked is None else asked
    scores = np.round(score + 0.05 * np.sin(np.arange(len(asked))), 6)
    return validate(asked.drop(columns="metric").assign(score=scores))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ahead.nc"


@pytest.fixture
def locked(path):
    """A locked forecast and its seal."""
    return path, ahead().lock(path)


FORECASTS = {
    "a fit": ahead,
    "an average over benchmarks": lambda: average_benchmarks(ahead()),
    "an average over laws": lambda: bs.forecast(averaged(), plan(), seed=1).isel(draw=slice(100)),
    "a baseline": lambda: bs.baseline("direct", small_fit().runs, plan(), seed=1, resamples=5),
    "some rows": lambda: ahead().isel(row=[2, 0]),
    "a loss": lambda: bs.forecast(unfitted(load_model("two_stage_linear")), plan(), seed=1),
    "pass@k": lambda: bs.forecast(
        unfitted(load_model("pass_at_k")), plan(["benchmark 00"], flops="1e21", k=[1, 8]).assign(n_items=100.0), seed=1
    ),
}
every_forecast = pytest.mark.parametrize("make", FORECASTS.values(), ids=FORECASTS)


@every_forecast
def test_everything_comes_back(make, path):
    before = make()
    started = datetime.now(UTC).replace(microsecond=0)
    seal = before.lock(path)
    after = bs.read_locked(path, seal=seal)
    assert {n: v.dims for n, v in after.variables.items()} == {n: v.dims for n, v in before.variables.items()}
    assert set(after.coords) == set(before.coords)
    for name, array in before.variables.items():
        np.testing.assert_array_equal(after[name], array)
    assert {name: after.attrs[name] for name in before.attrs} == before.attrs
    assert set(before.attrs) >= set(PROVENANCE)
    assert after.attrs["seal"] == seal
    assert json.loads(after.attrs["versions"])["bayes-scaling"] == bs.__version__
    when = datetime.fromisoformat(after.attrs["locked_at"])
    assert when.utcoffset() == timedelta(0)
    assert started <= when <= datetime.now(UTC)


def test_a_locked_forecast_is_summarised_like_any_other(locked):
    pd.testing.assert_frame_equal(bs.summarise(bs.read_locked(locked[0])), bs.summarise(ahead()), check_dtype=False)


def test_a_seal_depends_on_content_and_time_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "_now", lambda: "2026-01-02T03:04:05+00:00")
    first = ahead().lock(tmp_path / "1.nc")
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert ahead()[["accuracy", "accuracy_mean"]].lock(tmp_path / "2.nc") == first  # the order of names is no content
    assert ahead().assign_attrs(note="mine").lock(tmp_path / "3.nc") != first
    monkeypatch.setattr(locking, "_now", lambda: "2026-01-02T03:04:06+00:00")
    assert ahead().lock(tmp_path / "4.nc") != first


def test_blanks_and_numbers_without_a_type_are_kept(path):
    odd = ahead().assign_coords(
        note=("row", np.array([None, np.nan, "", "grün", "", ""], dtype=object)),
        params=("row", np.array([7e9, 7e9, 13e9, 13e9, 26e9, None], dtype=object)),
        flag=("row", [True, False, True, True, False, True]),
    )
    odd = odd.assign_coords(tokens=("row", np.array([1, 2, 3, 4, 5, 6], dtype=object)))
    odd.lock(path)
    after = bs.read_locked(path)
    assert after["note"].to_numpy().tolist() == ["", "", "", "grün", "", ""]
    assert after["tokens"].dtype == float
    assert after["params"].to_numpy().tolist() == ["7000000000.0"] * 2 + ["13000000000.0"] * 2 + ["26000000000.0", ""]
    assert after["flag"].to_numpy().tolist() == [True, False, True, True, False, True]


# What may happen to a file


def edit_value(file):
    values = file["accuracy"][...]
    values[0, 0, 0] = np.nextafter(values[0, 0, 0], 1)
    file["accuracy"][...] = values


def edit_coordinate(file):
    file["flops"][1] = 2 * file["flops"][1]


def edit_text(file):
    file["benchmark"][0] = "benchmark 01"


def edit_dimension(file):
    file["draw"][0] = 1000


def edit_document(file):
    file.attrs["model_document"] = file.attrs["model_document"].replace("power_law", "power_lax")


def edit_time(file):
    file.attrs["locked_at"] = "2020-01-01T00:00:00+00:00"


def edit_variable_attribute(file):
    file["accuracy"].attrs["units"] = "percent"


def add_attribute(file):
    file.attrs["note"] = "added later"


def drop_attribute(file):
    del file.attrs["runs_sha256"]


def drop_variable(file):
    del file["accuracy_mean"]


def rename_variable(file):
    file.move("accuracy", "score")


def edit_digests(file):
    digests = json.loads(file.attrs["digests"]) | {"accuracy": 64 * "0"}
    file.attrs["digests"] = json.dumps(digests)


CHANGES = {
    "accuracy": edit_value,
    "flops": edit_coordinate,
    "benchmark": edit_text,
    "draw": edit_dimension,
    "the attributes": edit_document,
    "the attributes ": edit_time,
    "accuracy ": edit_variable_attribute,
    "the attributes  ": add_attribute,
    "the attributes   ": drop_attribute,
    "accuracy_mean": drop_variable,
    "accuracy, score": rename_variable,
    "accuracy  ": edit_digests,
    "the seal": lambda file: file.attrs.__setitem__("seal", 64 * "0"),
    "more": lambda file: file.create_group("more"),
}


@pytest.mark.parametrize(("what", "change"), CHANGES.items())
def test_every_change_is_detected_and_named(locked, what, change):
    path, _ = locked
    with h5py.File(path, "a") as file:
        change(file)
    said = rf"ahead\.nc: changed since it was locked at 20\S+: {re.escape(what.strip())} differ from what was locked"
    with pytest.raises(FileError, match=said):
        bs.read_locked(path)
    with pytest.raises(FileError, match=said):
        bs.score_locked(path, outcome())


@pytest.mark.parametrize("name", ["seal", "digests", "locked_at"])
def test_a_file_without_its_seal_is_refused(locked, name):
    path, _ = locked
    with h5py.File(path, "a") as file:
        del file.attrs[name]
    with pytest.raises(FileError, match=rf"ahead\.nc: changed since it was locked: the attributes \['{name}'\] are"):
        bs.read_locked(path)


@settings(max_examples=10, deadline=None)
@given(at=st.integers(0, 4 * 100 * 6 - 1), bit=st.integers(0, 63))
def test_a_single_bit_of_a_draw_is_detected(at, bit):
    values = ahead()["accuracy"].to_numpy().copy()
    values.view(np.uint64).reshape(-1)[at] ^= np.uint64(1 << bit)
    changed = ahead().assign(accuracy=(ahead()["accuracy"].dims, values))
    before, after = locking.digests_of(ahead()), locking.digests_of(changed)
    assert [name for name in before if before[name] != after[name]] == ["accuracy"]


def test_a_forged_file_passes_but_not_under_the_published_seal(locked, tmp_path):
    path, seal = locked
    forged = ahead().assign(accuracy=ahead()["accuracy"] * 0.9).lock(tmp_path / "forged.nc")
    assert bs.read_locked(tmp_path / "forged.nc").attrs["seal"] == forged
    with pytest.raises(FileError, match=rf"forged\.nc: not the forecast .* seal '{seal}': .* has the seal {forged}$"):
        bs.read_locked(tmp_path / "forged.nc", seal=seal)
    with pytest.raises(FileError, match="not the forecast that was published"):
        bs.score_locked(tmp_path / "forged.nc", outcome(), seal=seal)
    assert bs.read_locked(path, seal=f" {seal.upper()}\n").attrs["seal"] == seal


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(locked, share):
    path, _ = locked
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FileError, match=r"ahead\.nc: not a readable netCDF file, perhaps truncated"):
        bs.read_locked(path)


def test_other_files_are_refused(path, tmp_path):
    with pytest.raises(FileError, match=r"ahead\.nc: no such file$"):
        bs.read_locked(path)
    small_fit().save(path)
    with pytest.raises(FileError, match=r"ahead\.nc: a netCDF file, but not a locked forecast of bayes_scaling$"):
        bs.read_locked(path)
    ahead().to_netcdf(tmp_path / "loose.nc", engine="h5netcdf")
    with pytest.raises(FileError, match=r"loose\.nc: a netCDF file, but not a locked forecast"):
        bs.read_locked(tmp_path / "loose.nc")
    (tmp_path / "runs.csv").write_text("run,score\na,0.5\n")
    with pytest.raises(FileError, match=r"runs\.csv: not a readable netCDF file"):
        bs.read_locked(tmp_path / "runs.csv")


def test_another_format_says_which_version_wrote_it(locked):
    path, _ = locked
    with h5py.File(path, "a") as file:
        file.attrs[locking.MARK] = locking.FORMAT + 1
        file.attrs["versions"] = json.dumps({"bayes-scaling": "9.8.7"})
    with pytest.raises(FileError, match=r"written in format 2 by bayes-scaling 9\.8\.7; .* install 9\.8\.7 to read it"):
        bs.read_locked(path)


# Writing


def test_nothing_is_ever_replaced(locked):
    path, _ = locked
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"ahead\.nc exists, and a locked forecast never replaces a file"):
        ahead().lock(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_while_the_forecast_is_written_stays(path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    monkeypatch.setattr(os, "fsync", lambda _: path.write_text("somebody else's"))
    with pytest.raises(FileError, match=r"ahead\.nc exists, and files of this kind are never replaced"):
        ahead().lock(path)
    assert path.read_text() == "somebody else's"
    assert [p.name for p in path.parent.iterdir()] == ["ahead.nc"]


def test_disks_without_links_will_do(path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    seal = ahead().lock(path)
    assert bs.read_locked(path, seal=seal).sizes == ahead().sizes
    assert [p.name for p in path.parent.iterdir()] == ["ahead.nc"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_lock_leaves_nothing(path, monkeypatch, error):
    def stop(_):
        raise error

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(type(error), match=r"No space|^$"):
        ahead().lock(path)
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileError, match=r"none/ahead\.nc: cannot write there"):
        ahead().lock(tmp_path / "none" / "ahead.nc")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda a: xr.Dataset({"accuracy": a["accuracy"].variable}), r"lacks the attributes \['model', 'verdict', "),
        (lambda a: a.mean("draw", keep_attrs=True), r"has lost \['draw'\]: lock it before"),
        (lambda a: a.assign_attrs(weight=0.5), r"must be texts to be locked, not \{'weight': 0\.5\}"),
    ],
)
def test_what_is_no_forecast_is_refused(path, change, match):
    with pytest.raises(DataError, match=match):
        change(ahead()).lock(path)
    assert not path.exists()


def test_a_forecast_is_locked_once(locked, tmp_path):
    with pytest.raises(DataError, match=r"was locked at 20\S+ already; copy its file to keep it twice"):
        bs.read_locked(locked[0]).lock(tmp_path / "again.nc")


def test_compression_costs_no_digit_and_saves_room(path):
    full = bs.forecast(small_fit(), plan(), seed=1)
    full.lock(path)
    assert path.stat().st_size < sum(v.nbytes for v in full.data_vars.values())


# Hashes


def shuffled(runs):
    return runs.sample(frac=1, random_state=1).set_axis(range(7, 7 + len(runs)))


SAME = {
    "index": lambda t: t.set_axis([f"row {i}" for i in range(len(t))]),
    "order of rows": shuffled,
    "order of columns": lambda t: t[sorted(t.columns, reverse=True)],
    "whole numbers": lambda t: t.astype({"params": "int64", "tokens": "Int64", "n_items": "int32"}),
    "categories": lambda t: t.astype({"benchmark": "category", "mixture": "category"}),
    "objects": lambda t: t.astype(object),
    "blanks": lambda t: t.assign(problem=None, n_correct="", own=pd.NA),
    "without blank columns": lambda t: t.dropna(axis=1, how="all"),
    "the last digits": lambda t: t.assign(score=np.nextafter(t["score"], 1), flops=np.nextafter(t["flops"], 1e30)),
    "signs of zero": lambda t: t.assign(chance=t["chance"].mask(t["chance"] == 0, -0.0)),
}
OTHER = {
    "a score": lambda t: t.assign(score=t["score"].mask(t.index == 3, t["score"][3] + 1e-9)),
    "a name": lambda t: t.assign(benchmark=t["benchmark"].replace("benchmark 00", "benchmark 0")),
    "a row less": lambda t: t.iloc[1:],
    "a row twice": lambda t: pd.concat([t, t.iloc[:1]]),
    "a column more": lambda t: t.assign(own=1),
    "a column by another name": lambda t: t.rename(columns={"loss": "own"}),
    "columns exchanged": lambda t: t.rename(columns={"params": "tokens", "tokens": "params"}),
    "numbers as text": lambda t: t.assign(seed=t["params"].astype(str)),
    "a blank": lambda t: t.assign(loss=t["loss"].mask(t.index == 0)),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_a_hash_is_that_of_the_content(change):
    runs = small_fit().runs
    runs = runs.assign(score=runs["score"].round(9).clip(0.01))  # no value stands where rounding goes either way
    assert table_sha256(change(runs)) == table_sha256(runs)


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_other_content_has_another_hash(change):
    runs = small_fit().runs
    assert table_sha256(change(runs)) != table_sha256(runs)


def test_a_hash_stays_what_it_is():
    table = pd.DataFrame({"run": ["a", "b"], "flops": [1e20, np.nan], "words": ['Größe, "x"', None]})
    assert table_sha256(table) == "1a391423d28d8c7173f9159fc44762ed45df1513d25c16d207f482c830159a41"


@settings(max_examples=30, deadline=None)
@given(cells=st.lists(st.one_of(st.floats(), st.integers(), st.booleans(), st.text(), st.none()), min_size=1))
def test_any_table_has_a_hash_that_its_rows_decide(cells):
    table = pd.DataFrame({"own": pd.Series(cells, dtype=object), "n": range(len(cells))})
    assert table_sha256(table.iloc[::-1]) == table_sha256(table)
    assert table_sha256(table.assign(n=table["n"] + 1)) != table_sha256(table)


def test_columns_of_lists_have_a_hash():
    one, other = (pd.DataFrame({"own": [[1, 2], {"a": last}]}) for last in (1, 2))
    assert table_sha256(one) == table_sha256(one.copy()) != table_sha256(other)


def test_a_fit_that_was_read_back_has_the_same_provenance(tmp_path):
    runs = small_fit().runs.assign(own=np.arange(len(small_fit().runs)), flag=True, val_set=pd.NA)
    found = replace(small_fit(), runs=runs)
    found.save(tmp_path / "fit.nc")
    one, again = (bs.forecast(fit, plan(), seed=1).attrs for fit in (found, bs.Fit.load(tmp_path / "fit.nc")))
    assert one == again


def test_runs_from_a_csv_have_the_same_hash(tmp_path):
    small_fit().runs.to_csv(tmp_path / "runs.csv", index=False)
    assert table_sha256(bs.read_runs(tmp_path / "runs.csv")) == table_sha256(small_fit().runs)


def test_provenance_tells_what_was_done():
    said = ahead().attrs
    assert json.loads(said["model_document"]) == to_document(small_fit().model)
    assert said["plan_sha256"] == table_sha256(plan())
    assert bs.forecast(small_fit(), plan(), seed=2).attrs == said | {"seed": "2"}
    assert bs.forecast(small_fit(), plan()).attrs == said | {"seed": "None"}
    direct = bs.baseline("direct", small_fit().runs, plan(), seed=1, resamples=5).attrs
    assert direct["model_document"] == canonical(
        {"baseline": "direct", "resamples": 5, "chance": "table", "loss": "loss"}
    )
    assert direct["runs_sha256"] == said["runs_sha256"]


# Scores


@every_forecast
def test_scores_are_those_of_the_forecast_at_once(make, path):
    before = make()
    rows = pd.DataFrame({c: before[c].to_numpy() for c in before.coords if before[c].dims == ("row",)})
    response = "pass_at_k" if "pass_at_k" in before else "accuracy"
    reached = rows.assign(score=np.linspace(0.4, 0.7, len(rows)))
    seal = before.lock(path)
    found = bs.score_locked(path, shuffled(reached), seal=seal, response=response)
    at_once = score_forecast(before, reached, response=response)
    pd.testing.assert_frame_equal(found, at_once, rtol=1e-12, check_dtype=False)


def test_tables_as_read_runs_gives_them_are_scored(locked, tmp_path):
    outcome().to_csv(tmp_path / "outcome.csv", index=False)
    found = bs.score_locked(locked[0], bs.read_runs(tmp_path / "outcome.csv"), probabilities=[0.9])
    at_once = score_forecast(ahead(), outcome(), probabilities=[0.9])
    pd.testing.assert_frame_equal(found, at_once, check_dtype=False)
    assert list(found.columns)[-3:] == ["inside_90", "width_90", "interval_score_90"]


def test_runs_without_names_are_found_by_the_names_that_plans_give(locked):
    found = bs.score_locked(locked[0], validate(outcome().drop(columns="run")))
    np.testing.assert_array_equal(found["observed"], outcome()["score"])


def test_other_runs_and_other_scores_do_not_matter(locked):
    reached = outcome()
    other = reached.assign(run="not planned", benchmark="benchmark 04")
    tries = reached.assign(metric="pass@k", k=8.0, score=0.9)
    blank = reached.assign(benchmark="benchmark 02", score=np.nan)
    found = bs.score_locked(locked[0], pd.concat([other, blank, tries, reached]))
    pd.testing.assert_frame_equal(found, bs.score_locked(locked[0], reached))


@pytest.mark.parametrize("mixture", ["unspecified", None, np.nan])
def test_a_mixture_that_is_not_given_does_not_matter(locked, mixture):
    found = bs.score_locked(locked[0], outcome().assign(mixture=mixture))
    pd.testing.assert_frame_equal(found, bs.score_locked(locked[0], outcome()))


def test_rows_without_an_outcome_are_told_and_left_out(locked):
    path, _ = locked
    reached = outcome().assign(score=lambda t: t["score"].mask(t.index == 1))
    said = r"^2 of 6 rows of the forecast have no outcome yet and are left out: mixture 0 · 7B .* benchmark 03"
    with pytest.warns(ScalingWarning, match=said):
        found = bs.score_locked(path, reached.iloc[:5])
    at_once = score_forecast(ahead(), outcome()).iloc[[0, 2, 3, 4]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, at_once, check_dtype=False)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: pd.concat([t, t.iloc[:1]]), r"more than one row for mixture 0 · 7B .* / benchmark 00 / mixture 0;"),
        (
            lambda t: t.assign(run="mine"),
            r"no score of a run that was forecast; .*: mixture 0 · 7B .*; here are mine$",
        ),
        (lambda t: t.assign(score=np.nan), r"no score of a run that was forecast; .*; here are none$"),
        (lambda t: t.replace({"benchmark": {"benchmark 03": "benchmark 3"}}), r"not forecast: .* / benchmark 3 / "),
        (lambda t: t.assign(mixture="mixture 1"), r"scores of planned runs that were not forecast: .* / mixture 1;"),
        (lambda t: t.drop(columns="benchmark"), r"rows for every benchmark; the outcome needs \['benchmark'\]"),
        (lambda t: t.drop(columns="score"), r"the outcome lacks the columns \['score'\]"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(locked, change, match):
    with pytest.raises(DataError, match=match):
        bs.score_locked(locked[0], change(outcome()))


def test_a_response_that_was_not_forecast_is_refused(locked):
    with pytest.raises(DataError, match=r"^the forecast is of \['accuracy'\], not of 'loss'$"):
        bs.score_locked(locked[0], outcome(), response="loss")


@pytest.mark.parametrize("name", ["params", "tokens", "flops"])
def test_sizes_may_differ_a_little_from_the_plan(locked, name):
    path, reached = locked[0], outcome()
    found = bs.score_locked(path, reached.assign(**{name: 1.009 * reached[name]}))
    pd.testing.assert_frame_equal(found, bs.score_locked(path, reached))
    with pytest.warns(ScalingWarning, match=rf"up to 5 % off .* {name} 6\.65e|{name} .*, planned .* scored as planned"):
        found = bs.score_locked(path, reached.assign(**{name: 0.95 * reached[name]}))
    pd.testing.assert_frame_equal(found, bs.score_locked(path, reached))
    with pytest.raises(DataError, match=rf"up to 12 % off .*: {name} .*More than 10 % is another run"):
        bs.score_locked(path, reached.assign(**{name: 1.12 * reached[name]}))
    found = bs.score_locked(path, reached.assign(**{name: 1.12 * reached[name]}).drop(columns=name))
    pd.testing.assert_frame_equal(found, bs.score_locked(path, reached))


def test_sizes_that_were_not_planned_cannot_differ(path):
    asked = plan(flops=["1e21", "2e21", "4e21"])
    bs.forecast(small_fit(), asked, seed=1).lock(path)
    found = bs.score_locked(path, outcome(asked).assign(params=7e9, tokens=2e10))
    assert found["observed"].tolist() == outcome(asked)["score"].tolist()


def test_every_k_is_an_outcome_of_its_own(path):
    before = FORECASTS["pass@k"]()
    before.lock(path)
    rows = pd.DataFrame({"run": before["run"].to_numpy(), "benchmark": "benchmark 00", "k": [1.0, 8.0]})
    reached = rows.assign(score=[0.3, 0.7])
    found = bs.score_locked(path, reached.iloc[::-1], response="pass_at_k")
    assert found["observed"].tolist() == [0.3, 0.7]
    with pytest.raises(DataError, match=r"rows for every k; the outcome needs \['k'\]"):
        bs.score_locked(path, reached.drop(columns="k").iloc[:1], response="pass_at_k")
    with pytest.raises(DataError, match=r"not forecast: .* / k = 4;"):
        bs.score_locked(path, reached.assign(k=[1.0, 4.0]), response="pass_at_k")


@pytest.mark.parametrize("beside", [True, False])
def test_a_run_has_one_loss_wherever_it_stands(path, beside):
    before = FORECASTS["a loss"]()
    before.lock(path)
    each = outcome().assign(loss=[2.5, 2.5, 2.4, 2.4, 2.3, 2.3], score=np.nan)
    reached = each if beside else each.iloc[[0, 2, 4]].assign(benchmark=pd.NA)
    found = bs.score_locked(path, reached, response="loss")
    pd.testing.assert_frame_equal(found, score_forecast(before, each, response="loss"), check_dtype=False)
    with pytest.raises(DataError, match="more than one row for mixture 0 · 7B"):
        bs.score_locked(path, pd.concat([reached, reached.assign(loss=2.2)]), response="loss")


def test_the_average_over_benchmarks_is_scored_on_the_average(path):
    average = average_benchmarks(ahead())
    average.lock(path)
    by_run = outcome().groupby("run", sort=False)["score"].mean()
    reached = by_run.reset_index().assign(benchmark="average of 2")
    found = bs.score_locked(path, reached)
    np.testing.assert_array_equal(found["observed"], by_run)
    with pytest.raises(DataError, match=r"not forecast: .*benchmark 00.*; the forecast has .*/ average of 2"):
        bs.score_locked(path, outcome())


def test_the_command_locks_what_it_prints(tmp_path):
    from click.testing import CliRunner

    from bayes_scaling.cli.commands import main

    small_fit().save(tmp_path / "fit.nc")
    asked = ["forecast", str(tmp_path / "fit.nc"), "--flops", "1e21", "--seed", "1", "--average"]
    result = CliRunner().invoke(main, [*asked, "--lock", str(tmp_path / "ahead.nc")])
    assert result.exit_code == 0, result.stderr
    (seal,) = re.findall(r"^locked .*ahead\.nc; publish its seal: ([0-9a-f]{64})$", result.stdout, re.MULTILINE)
    found = bs.read_locked(tmp_path / "ahead.nc", seal=seal)
    assert dict(found.sizes) == {"chain": 4, "draw": 1000, "row": 5 * 2}
    for force in ([], ["--force"]):
        again = CliRunner().invoke(main, [*asked, "--lock", str(tmp_path / "ahead.nc"), *force])
        assert again.exit_code == 2
        assert "ahead.nc exists, and a locked forecast never replaces a file" in again.stderr
        assert again.stdout == ""


def test_a_whole_file_still_replaces_when_told(path):
    path.write_text("old")
    write_whole(path, b"")
    assert path.read_text() == ""


def test_outcomes_in_percent_are_refused(locked):
    reached = outcome()
    reached["score"] *= 100
    with pytest.raises(DataError, match="column 'score' must be a proportion between 0 and 1"):
        bs.score_locked(locked[0], reached)
