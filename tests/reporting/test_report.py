"""The report: answers first, whole in one file, honest about a fit that failed, and safe with strange names."""

import re
import shlex
from html.parser import HTMLParser

import pandas as pd
import pytest
from click.testing import CliRunner
from simulate import failed, small_fit, unfitted

import bayes_scaling as bs
from bayes_scaling.cli.commands import main
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.models.documents import load_model
from bayes_scaling.reporting.answers import answer_sentences

GO_ON = {"seed": 1, "even_if_not_converged": True}
VOID = {"meta", "br", "hr", "img", "link", "path", "use", "rect", "stop", "line", "circle", "input"}


@pytest.fixture(scope="module")
def fit():
    return small_fit()


@pytest.fixture(scope="module")
def plan():
    return bs.plan_runs(flops="1e22", benchmark=["benchmark 00", "benchmark 01"], mixture=["mixture 0", "mixture 1"])


@pytest.fixture(scope="module")
def page(fit, plan):
    answers = [bs.compute_for(fit, 0.6, benchmark="benchmark 00", **GO_ON), bs.rank(fit, "1e22", **GO_ON),
               bs.next_runs(fit, plan, plan, number=2, **GO_ON)]  # fmt: skip
    return bs.report(fit, plan, answers=answers, seed=1)


class Balanced(HTMLParser):
    """Raises where elements do not close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_says_what_one_further_run_would_tell(fit, plan):
    """The larger the further run, the less it leaves; a plan within the compute of the runs has nothing to add."""
    page = bs.report(fit, plan, kind="markdown", seed=1)
    left = [
        float(share)
        for share in re.findall(r"One further run of .* FLOPs on each mixture, .* would leave (\d+) % of", page)
    ]
    assert len(left) == 3
    assert 100 >= left[0] >= left[1] >= left[2] > 0
    inside = plan.assign(flops=fit.runs["flops"].max())
    assert "One further run" not in bs.report(fit, inside, kind="markdown", seed=1)


def test_the_page_is_whole_by_itself(page):
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert {"svg", "table", "h1", "figcaption", "title", "desc"} <= parser.seen
    assert not {"script", "link", "img", "iframe"} & parser.seen
    assert all(link.startswith(("#", "data:")) for link in re.findall(r"""(?:src|href)=["'](.{5})""", page))
    assert "@import" not in page and "url(http" not in page


def test_answers_come_before_numbers_and_both_before_doubts(page):
    places = [page.index(part) for part in ("The answers", "What does the target cost?", "Which mixture is best?",
                                            "Which runs should come next?", "The numbers", "<svg",
                                            "What would change the answers", "Sources")]  # fmt: skip
    assert places == sorted(places)


def test_the_same_seed_gives_the_same_page(fit, plan):
    assert bs.report(fit, plan, seed=3, kind="markdown") == bs.report(fit, plan, seed=3, kind="markdown")


def test_sentences_say_what_the_forecast_says(fit, plan):
    page = bs.report(fit, plan, seed=1, kind="markdown")
    table = bs.summarise(bs.forecast(fit, plan, seed=1), everything=True)
    own = table[(table["interval_for"] == "new run") & (table["benchmark"] == "benchmark 01")].iloc[0]
    assert f"should score {own['mean']:.3f}; with 80 % probability between {own['lower_80']:.3f}" in page
    assert page.count("On benchmark") >= 4 and "<" not in page.replace("<=", "")


def test_gains_and_the_worth_of_a_forecast_are_told_with_their_records(fit, plan):
    gains = bs.elasticity(fit, "1e21", benchmark="benchmark 01", mixture="mixture 0", seed=1)
    worth = bs.worth(bs.forecast(fit, plan, seed=1))
    page, drawn = (bs.report(fit, plan, answers=[gains, worth], seed=1, kind=kind) for kind in ("markdown", "html"))
    assert "What is the forecast worth?" in drawn
    told = f"From 1e21 to 1e22 FLOPs the score on benchmark 01 on mixture 0 rises by {gains['gain'][0]:.3f}; with"
    assert told in page
    assert f"says as much of the planned model as a test of it with {worth['items'][0]:,.0f} items would." in page
    done = page[page.index("How such forecasts did before") :]
    for question, answer in (("What does more compute buy?", gains), ("What is the forecast worth?", worth)):
        assert f"{question} On public data: {answer.attrs['track_record']}." in done
    with pytest.raises(DataError, match=r"has lost its attributes: give the report what bs\.elasticity returned"):
        answer_sentences(pd.DataFrame(gains.to_dict("list")))


def test_a_fit_that_failed_is_said_at_the_head(fit, plan):
    with pytest.raises(FitError):
        bs.report(failed(fit), plan, seed=1)
    for kind in ("html", "markdown"):
        page = bs.report(failed(fit), plan, kind=kind, **GO_ON)
        assert page.index("Do not use these numbers") < page.index("The answers")


def test_names_cannot_break_the_page(fit, plan):
    page = bs.report(fit, plan, title="<script>alert(1)</script> & more", seed=1)
    assert "<script" not in page and "&lt;script&gt;" in page


@pytest.mark.filterwarnings("ignore:.* asks? what the runs cannot tell")
def test_no_note_is_told_twice(fit):
    far = 10**3 * fit.runs["flops"].max()
    plan = bs.plan_runs(flops=far, benchmark="benchmark 00", mixture="mixture 0")
    own = {"benchmark": "benchmark 00", "seed": 1}
    answers = [bs.rank(fit, far, **own), bs.elasticity(fit, far, **own), bs.elasticity(fit, 100 * far, **own)]
    page = bs.report(fit, plan, answers=answers, seed=1, kind="markdown")
    for text in ("more than 1.5 decades", "more than 4 decades"):
        assert page.count(text) == 1, text


def test_losses_and_samples_have_a_page_too():
    passing = unfitted(load_model("pass_at_k"), benchmarks=1, mixtures=1)
    page = bs.report(passing, bs.plan_runs(flops="1e22", benchmark="benchmark 00", k=[1, 10]), kind="markdown", **GO_ON)
    assert "with 10 samples" in page
    trade = bs.trade(passing, 0.5, queries=1e6, tokens_per_sample=100, **GO_ON)
    assert answer_sentences(trade)[0] == "Longer training or more samples?"
    loss = unfitted(load_model("loss_params_tokens"), benchmarks=1, mixtures=1, ratios=(5.0, 80.0))
    page = bs.report(loss, bs.plan_runs(params="7B", tokens="1T"), kind="html", **GO_ON)
    assert "reach a loss of" in page
    split = bs.allocate(loss, "1e22", **GO_ON)
    assert "tokens for each parameter" in " ".join(answer_sentences(split)[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [({"kind": "pdf"}, "kind must be"), ({"answers": ["yes"]}, "takes answers of"), ({"answers": 3}, "must be a list"),
     ({"title": " "}, "title must be text"), ({"past": 1}, "bs.backtest")],
)  # fmt: skip
def test_bad_requests_are_refused(fit, plan, change, message):
    with pytest.raises(DataError, match=message):
        bs.report(fit, plan, seed=1, **change)


def test_the_command_writes_the_page(fit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit.save(tmp_path / "fit.nc")
    plan = "fit.nc --flops 1e22 --benchmark 'benchmark 00' --seed 1"
    asked = ["report", *shlex.split(plan), "--target", "0.6", "--rank", "--gain", "10", "--worth"]
    for name in ("page.html", "page.md"):
        done = CliRunner().invoke(main, [*asked, "--out", name])
        assert done.exit_code == 0, done.output
        page = (tmp_path / name).read_text()
        for question in (
            "Which mixture is best?",
            "What does the target cost?",
            "What does more compute buy?",
            "What is the forecast worth?",
        ):
            assert question in page, question
    assert CliRunner().invoke(main, [*asked, "--out", "page.html"]).exit_code == 2
    done = CliRunner().invoke(main, [*asked, "--out", "page.pdf"])
    assert done.exit_code == 2 and ".html or .md" in done.output
