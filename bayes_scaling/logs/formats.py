"""Which tool wrote a file: by what it holds, never by its name alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bayes_scaling.errors import DataError
from bayes_scaling.logs.evalplus import is_evalplus, read_evalplus
from bayes_scaling.logs.every_eval_ever import is_every_eval_ever, read_every_eval_ever
from bayes_scaling.logs.helm import is_helm, read_helm
from bayes_scaling.logs.json_values import mapping, read_json, read_lines, text
from bayes_scaling.logs.lm_eval import is_lm_eval, read_lm_eval
from bayes_scaling.logs.lm_eval_samples import is_sample, read_samples
from bayes_scaling.logs.olmes import is_olmes, is_prediction, read_olmes, read_predictions
from bayes_scaling.logs.record import LeftOut, Log

SUFFIXES = (".json", ".jsonl")
ITEMS = "single items: scores are in the JSON file beside it"
UNKNOWN = "not a log of lm-evaluation-harness, Every Eval Ever, OLMES, evalplus or HELM"


def log_files(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The files that are meant: themselves, or all JSON and JSONL files below a folder, in alphabetical order.

    Raises
    ------
    DataError
        There is no such file or folder.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        elif path.is_file():
            yield path
        else:
            raise DataError(f"{path}: there is no such file or folder; give the logs of an evaluation tool")


def read_log(path: Path) -> Log:
    """Read a file with the reader of the tool that wrote it; what cannot be read is left out with a reason."""
    try:
        return _read_lines(path) if path.suffix.lower() == ".jsonl" else _read_value(path)
    except DataError as error:
        return Log(left_out=[LeftOut(path.name, "the whole file", str(error).partition(": ")[2] or str(error))])


def _read_value(path: Path) -> Log:
    value = read_json(path)
    if is_lm_eval(value):
        return read_lm_eval(value, path.name)
    if is_every_eval_ever(value):
        return read_every_eval_ever(value, path.name)
    if is_evalplus(value):
        return read_evalplus(value, path.name, _model_of(path))
    if is_helm(value):
        return read_helm(value, path)
    if is_olmes(value):
        return read_olmes(value, path.name)
    return Log(left_out=[LeftOut(path.name, "the whole file", UNKNOWN)])


def _read_lines(path: Path) -> Log:
    first = next((value for _, value in read_lines(path) if value is not None), None)
    if is_sample(first):
        return read_samples(path)
    if is_prediction(first):
        return read_predictions(path)
    if text(mapping(first).get("schema_version")).startswith("instance_level"):
        return Log(left_out=[LeftOut(path.name, "the whole file", ITEMS)])
    if not is_olmes(first):
        return Log(left_out=[LeftOut(path.name, "the whole file", UNKNOWN)])
    log = Log()
    for number, value in read_lines(path):
        if not is_olmes(value):
            log.left_out.append(LeftOut(path.name, f"line {number}", "no record of a task, or cut off"))
            continue
        one = read_olmes(value, path.name)
        log.scores += one.scores
        log.left_out += one.left_out
    return log


def _model_of(path: Path) -> str:
    """The model that a file of evalplus is of: its own name, or that of its folder."""
    stem = path.stem.removesuffix("eval_results").rstrip("_-. ")
    return (stem or path.parent.name).replace("__", "/").replace("--", "/")
