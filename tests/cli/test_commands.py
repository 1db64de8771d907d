"""The command line: what it prints, what it writes, and how it ends."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import bayes_scaling as bs
from bayes_scaling.cli import commands as cli
from bayes_scaling.cli import demo

TINY = ("--chains", "2", "--draws", "100", "--tune", "150", "--seed", "1")
CHOSEN = ("--benchmark", "piqa", "--benchmark", "hellaswag", "--benchmark", "copa")


def run(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "runs.csv"
    runs = bs.load_dataset("gadre2024")
    runs[runs["tokens_per_param"].between(19, 21.5) & runs["score"].notna()].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, table):
    """A tiny fit, made by the command itself, and how the command ended."""
    path = tmp_path_factory.mktemp("fit") / "fit.nc"
    return path, run("fit", table, "power_law", "--out", path, *CHOSEN, *TINY)


def ask(fitted, *arguments):
    return run("forecast", fitted[0], "--even-if-not-converged", "--seed", "1", *arguments)


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    assert all(verb in result.stdout for verb in ("demo", "fit", "forecast", "check", "models", "datasets"))


def test_python_m_answers_with_the_version():
    asked = [sys.executable, "-m", "bayes_scaling", "--version"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().endswith(bs.__version__)


@pytest.mark.parametrize("arguments", [("--help",), ("datasets",)])
def test_small_questions_load_nothing_heavy(arguments):
    code = (
        "import sys; from bayes_scaling.cli.commands import main; main(sys.argv[1:], standalone_mode=False); "
        "sys.exit(any(m in sys.modules for m in ('pymc', 'pytensor', 'arviz', 'matplotlib', 'xarray')))"
    )
    assert subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True).returncode == 0


def test_check_summarises_a_large_table_without_pymc(tmp_path, table):
    big = pd.concat([pd.read_csv(table).assign(run=lambda t, i=i: t["run"] + f" {i}") for i in range(7)])
    big.to_csv(tmp_path / "big.csv", index=False)
    code = (
        "import sys; from bayes_scaling.cli.commands import main; main(['check', sys.argv[1]], standalone_mode=False); "
        "sys.exit('pymc' in sys.modules or 'pytensor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "big.csv"], capture_output=True, text=True)
    assert done.returncode == 0
    assert f"{len(big)}, {len(big)} with a score" in done.stdout
    assert "3: C4, RedPajama, RefinedWeb" in done.stdout
    assert "power_law: yes" in done.stdout


def test_check_says_which_models_cannot_use_a_table(tmp_path):
    pd.DataFrame(
        {"run": list("abcd"), "flops": [1e19, 1e20, 1e21, 1e22], "benchmark": "piqa", "score": [0.5, 0.6, 0.7, 0.8],
         "chance": 0.5}
    ).to_csv(tmp_path / "t.csv", index=False)  # fmt: skip
    result = run("check", tmp_path / "t.csv")
    assert "power_law: yes" in result.stdout
    assert "params_tokens_discrepancy: no: needs 'params' in every row" in " ".join(result.stdout.split())


def test_check_takes_other_column_names_and_warns_in_one_line(tmp_path):
    pd.DataFrame({"C": [1e20, 1e21], "benchmark": "piqa", "score": [0.6, 0.7], "chance": 0.5}).to_csv(
        tmp_path / "t.csv", index=False
    )
    result = run("check", tmp_path / "t.csv", "--map", "C=flops")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: t.csv: fewer than 3 sizes")
    assert result.stderr.count("\n") == 1
    assert run("check", tmp_path / "t.csv", "--map", "C").stderr.startswith("error: --map needs YOURS=OURS")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nope.csv"), "error: nope.csv: there is no such file"),
        (("check", "gadre2023"), "error: no data set 'gadre2023'; did you mean 'gadre2024'?"),
        (("models", "power_lor"), "error: no model 'power_lor'; did you mean 'power_law'?"),
        (("fit", "gadre2024", "power_law"), "error: Missing option '--out'"),
        (("fit", "gadre2024", "power_law", "--out", "no/such/place.nc"), "error: no/such/place.nc: cannot write there"),
        (("fit", "gadre2024", "power_law", "--out", "x.nc", "--mixture", "C5"), "error: the table has no mixture 'C5'"),
        (("forecast", "nope.nc", "--flops", "1e22"), "error: nope.nc: no such file"),
        (("forecat",), "error: No such command 'forecat'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_status_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_bad_table_keeps_its_lines_but_shows_no_traceback(tmp_path):
    (tmp_path / "t.csv").write_text("flops,benchmark,score,chance\n-1,piqa,0.5,0.5\n1e20,piqa,61,0.5\n")
    result = run("check", tmp_path / "t.csv")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: t.csv: 2 problems\n")
    assert "Traceback" not in result.stderr


def test_an_interrupt_ends_with_130_and_one_line(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "runs_of", stop)
    result = run("check", "gadre2024")
    assert result.exit_code == 130
    assert result.stderr == "interrupted; nothing more was written\n"


def test_a_file_that_may_not_be_read_is_one_line(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "runs.csv")

    monkeypatch.setattr(cli, "runs_of", refuse)
    result = run("check", "runs.csv")
    assert (result.exit_code, result.stderr) == (2, "error: runs.csv: Permission denied\n")


def test_fit_writes_the_file_and_says_that_it_did_not_converge(fitted):
    path, result = fitted
    assert result.exit_code == 1
    assert "NOT CONVERGED: " in result.stdout
    assert f"wrote {path}, although the fit did NOT CONVERGE" in result.stdout
    kept = bs.Fit.load(path)
    assert set(kept.runs["benchmark"]) == {"piqa", "hellaswag", "copa"}
    assert kept.seed == 1


def test_fit_refuses_to_overwrite_before_it_samples(fitted, table, monkeypatch):
    monkeypatch.setattr("bayes_scaling.inference.fitting.fit", lambda *_, **__: pytest.fail("sampled"))
    result = run("fit", table, "power_law", "--out", fitted[0])
    assert result.exit_code == 2
    assert result.stderr == f"error: {fitted[0]} exists; choose another name, or replace it with --force\n"


def test_forecast_refuses_a_fit_that_failed_and_names_the_option(fitted):
    result = run("forecast", fitted[0], "--flops", "1e22")
    assert result.exit_code == 2
    assert "NOT CONVERGED" in result.stderr
    assert "--even-if-not-converged" in result.stderr


def test_forecast_prints_a_table_that_fits_the_terminal(fitted):
    result = ask(fitted, "--flops", "1e22", "--flops", "3e22", "--average")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "benchmark"
    assert all(name in lines[0] for name in ("expectation 80 %", "new run 80 %", "beyond"))
    assert sum(line.startswith("average of 3") for line in lines) == 2 * 3
    assert sum(line.startswith("piqa") for line in lines) == 2 * 3
    assert max(map(len, lines[:20])) <= 100
    assert "assumes that the curve goes on exactly as it did" in " ".join(result.stdout.split())


def test_forecast_writes_what_it_prints(fitted, tmp_path):
    files = ("--out", tmp_path / "t.csv", "--plot", tmp_path / "p.png")
    asked = ("--params", "7B", "--tokens", "140B", "--benchmark", "piqa", "--mixture", "C4", *files)
    result = ask(fitted, *asked)
    assert result.exit_code == 0, result.stderr
    written = pd.read_csv(tmp_path / "t.csv")
    assert set(written["interval_for"]) == {"expectation", "new run"}
    np.testing.assert_allclose(written["flops"], 6 * 7e9 * 140e9)
    assert f"{written['mean'][0]:.3f}" in result.stdout
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    again = ask(fitted, *asked)
    assert (again.exit_code, "exists" in again.stderr) == (2, True)
    assert ask(fitted, *asked, "--force").exit_code == 0


def test_forecast_reads_a_plan(fitted, tmp_path):
    plan = tmp_path / "plan.csv"
    plan.write_text("benchmark,mixture,params,tokens\npiqa,C4,7B,1T\ncopa,C4,7B,1T\n")
    assert "4.20e+22" in ask(fitted, "--plan", plan).stdout
    plan.write_text("benchmark,mixture,flops\npiqa,C4,-1\n")
    assert "lines [2] hold [-1" in ask(fitted, "--plan", plan).stderr
    assert "--plan says everything" in ask(fitted, "--plan", plan, "--flops", "1e22").stderr


def test_forecast_needs_runs_and_known_benchmarks(fitted):
    assert "error: say which runs: --flops 1e22" in ask(fitted).stderr
    assert "did you mean 'hellaswag'?" in ask(fitted, "--flops", "1e22", "--benchmark", "helaswag").stderr
    assert "must be a positive, finite number" in ask(fitted, "--flops", "many").stderr


def test_models_lists_all_and_shows_a_card():
    assert all(name in run("models").stdout for name in bs.list_models())
    told = run("models").stdout
    assert told.index("power_law_discrepancy  recommended for: compute alone") < told.index("\nbnsl ")
    card = run("models", "power_law").stdout
    assert "90 % prior interval" in card
    assert "0.08 to 0.6" in card
    assert "varies over benchmark, mixture, benchmark × mixture" in card
    assert max(map(len, card.splitlines())) <= 100


def test_datasets_lists_all():
    said = run("datasets").stdout
    assert all(f"{row['name']}  {row['title']}" in said for row in bs.describe_datasets().to_dict("records"))
    assert "licence MIT" in said


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A demonstration on three benchmarks with few draws, run twice into one folder."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "BENCHMARKS", ("piqa", "hellaswag"))
        patch.setattr(demo, "QUICK", {"chains": 2, "draws": 60, "tune": 100})
        return folder, [run("demo", "--quick", "--out", folder) for _ in range(2)]


def test_demo_compares_the_forecast_with_what_happened(shown):
    folder, (first, _) = shown
    assert first.exit_code == 0, first.stderr
    assert "9 scores lie in their 80 % interval" in first.stdout
    assert "1.4 decades of compute beyond the data" in first.stdout
    assert "average of 2" in first.stdout
    assert "10 times larger: 5.7e+22 FLOPs" in first.stdout
    assert "Verdict: " in first.stdout
    table = pd.read_csv(folder / "forecast.csv")
    known = table[table["measured"].notna()]
    assert known["flops"].nunique() == 1
    assert len(known) == 2 * 3 * (3 + 1)
    seen = bs.Fit.load(folder / "fit.nc").runs
    assert seen["params"].max() < demo.HELD_OUT


def test_demo_replaces_its_own_files_only(shown, tmp_path):
    folder, (_, second) = shown
    assert second.exit_code == 0, second.stderr
    assert sorted(p.name for p in folder.iterdir()) == sorted([demo.MARK, *demo.FILES])
    (tmp_path / "forecast.csv").write_text("mine")
    refused = run("demo", "--out", tmp_path)
    assert refused.exit_code == 2
    assert "holds forecast.csv that the demo did not write" in refused.stderr
    assert (tmp_path / "forecast.csv").read_text() == "mine"
