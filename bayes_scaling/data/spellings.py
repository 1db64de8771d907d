"""What columns of other people's tables probably are: synonyms, and units in their names.

A name with a unit, such as ``Params (B)`` or ``gflops``, must not be taken for the plain name: its numbers would be
wrong by a factor.  It is mapped with the factor: ``{"Params (B)": "params*1e9"}``.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

SYNONYMS = {
    "params": ("n_params", "num_params", "parameters", "n_parameters", "num_parameters", "model_size", "model_params"),
    "tokens": ("n_tokens", "num_tokens", "train_tokens", "training_tokens", "tokens_seen", "total_tokens"),
    "flops": ("compute", "train_flops", "training_flops", "total_flops", "training_compute", "flop"),
    "benchmark": ("task", "task_name", "eval", "evaluation", "benchmark_name", "dataset_name"),
    "score": ("acc", "accuracy", "primary_metric", "primary_score", "value", "result", "acc_norm"),
    "loss": ("val_loss", "validation_loss", "eval_loss", "test_loss", "valid_loss", "ce_loss", "cross_entropy"),
    "mixture": ("data", "corpus", "data_mix", "data_mixture", "recipe", "train_data", "pretraining_data"),
    "chance": ("random_baseline", "random_chance", "chance_level"),
    "n_items": ("n_questions", "num_examples", "n_examples"),
    "n_correct": ("num_correct", "correct"),
}
KNOWN = {synonym: name for name, synonyms in SYNONYMS.items() for synonym in synonyms}
SCALES = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24}
SCALES |= {"bn": 1e9, "mn": 1e6, "mil": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21}
SCALES |= {word + end: SCALES[word[0]] for word in ("thousand", "million", "billion", "trillion") for end in ("", "s")}
SCALES["thousand"] = SCALES["thousands"] = 1e3
PF_DAY = 1e15 * 86400  # FLOPs
CONVERSION = re.compile(r"(?P<name>\w+)\s*(?:\*|x)\s*(?P<factor>\d+(?:\.\d*)?(?:e[+-]?\d+)?)", re.IGNORECASE)
POWER = re.compile(r"10\s*\*\*\s*(?P<name>\w+)")


class Meaning(NamedTuple):
    """A column of this package, and what its numbers are multiplied by; 0 stands for logarithms to base 10."""

    name: str
    factor: float = 1.0

    @property
    def target(self) -> str:
        """How a mapping of columns writes it.

        Examples
        --------
        >>> Meaning("params", 1e9).target, Meaning("flops", 0).target, Meaning("loss").target
        ('params*1e9', '10**flops', 'loss')
        """
        if self.factor == 0:
            return f"10**{self.name}"
        return self.name if self.factor == 1 else f"{self.name}*{self.factor:g}".replace("e+", "e").replace("e0", "e")


def parsed_target(target: str) -> Meaning:
    """Read what a mapping of columns says: a name, a name with a factor, or a power of ten.

    Examples
    --------
    >>> parsed_target("params*1e9"), parsed_target("10**flops"), parsed_target("loss")
    (Meaning(name='params', factor=1000000000.0), Meaning(name='flops', factor=0.0), Meaning(name='loss', factor=1.0))
    """
    text = target.strip()
    if match := POWER.fullmatch(text):
        return Meaning(match["name"], 0.0)
    if (match := CONVERSION.fullmatch(text)) and float(match["factor"]) > 0:
        return Meaning(match["name"], float(match["factor"]))
    return Meaning(target)


def with_unit(column: str) -> Meaning | None:
    """The size that a column holds in other units than one, as its name says; None where the name has no unit.

    Examples
    --------
    >>> [with_unit(name) for name in ("Params (B)", "tokens_b", "gflops", "log10_flops")]  # doctest: +ELLIPSIS
    [Meaning(name='params', factor=1000000000.0), Meaning(name='tokens', ...), Meaning(name='flops', ...), ...]
    >>> with_unit("params") is None, with_unit("flops_total") is None
    (True, True)
    """
    text = re.sub(r"[\s()\[\]/\-.#]+", "_", column.strip().lower()).strip("_")
    if re.search(r"(?:^|_)(?:pf|peta_?flops?)(?:_s)?_?days?$", text):
        return Meaning("flops", PF_DAY)
    if text.startswith(("log10_", "lg_")) and (name := _size(text.partition("_")[2])):
        return Meaning(name, 0.0)
    if match := re.fullmatch(r"(?:total_|train_|training_)?(?P<scale>[a-z]*?)_?flops?(?:_total)?", text):
        return Meaning("flops", SCALES[match["scale"]]) if match["scale"] in SCALES else None
    name, _, unit = text.rpartition("_")
    unit = unit.removeprefix("in").strip("_")
    if (size := _size(name.removesuffix("_in"))) is None:
        return None
    if power := re.fullmatch(r"(?:1?e|10\^?)(\d+)", unit):
        return Meaning(size, 10.0 ** int(power[1]))
    return Meaning(size, SCALES[unit]) if unit in SCALES else None


def _size(text: str) -> str | None:
    names = {name: name for name in ("params", "tokens", "flops", "param", "token")} | {
        synonym: name for synonym, name in KNOWN.items() if name in ("params", "tokens", "flops")
    }
    names |= {"param": "params", "token": "tokens", "size": "params"}
    return names.get(text)


def synonyms(columns: Iterable[str], free: Iterable[str]) -> dict[str, str]:
    """Columns that other tables call otherwise: the user's name -> the name here, each name here once.

    Examples
    --------
    >>> synonyms(["task", "Val Loss", "acc", "colour"], ["benchmark", "loss", "score"])
    {'task': 'benchmark', 'Val Loss': 'loss', 'acc': 'score'}
    """
    left, found = set(free), {}
    for column in columns:
        known = KNOWN.get(re.sub(r"[\s\-.]+", "_", column.strip().lower()))
        if known in left:
            found[column] = known
            left.discard(known)
    return found
