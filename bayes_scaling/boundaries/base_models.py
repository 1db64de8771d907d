"""How many tokens known base models were trained on: what the compute of released models is computed from.

Each figure is one that the makers of a base model state.  Base models whose makers state none, such as Mistral 7B, are
not here; whoever has an estimate gives it to `read_leaderboard` with ``bases``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# start of the name -> (tokens of pre-training [10^12], where its makers say so)
TOKENS: dict[str, tuple[float, str]] = {
    "bloom": (0.341, "arXiv 2211.05100"),
    "deepseek-llm": (2.0, "arXiv 2401.02954"),
    "falcon-7b": (1.5, "arXiv 2311.16867"),
    "falcon-40b": (1.0, "arXiv 2311.16867"),
    "falcon-180b": (3.5, "arXiv 2311.16867"),
    "gemma-2b": (3.0, "arXiv 2403.08295"),
    "gemma-7b": (6.0, "arXiv 2403.08295"),
    "gemma-1.1-2b": (3.0, "arXiv 2403.08295"),
    "gemma-1.1-7b": (6.0, "arXiv 2403.08295"),
    "gemma-2-2b": (2.0, "arXiv 2408.00118"),
    "gemma-2-9b": (8.0, "arXiv 2408.00118"),
    "gemma-2-27b": (13.0, "arXiv 2408.00118"),
    "gpt-j-6b": (0.402, "model card of GPT-J-6B"),
    "gpt-neo-1.3b": (0.38, "model card of GPT-Neo 1.3B"),
    "gpt-neo-2.7b": (0.42, "model card of GPT-Neo 2.7B"),
    "gpt-neox-20b": (0.472, "arXiv 2204.06745"),
    "llama-7b": (1.0, "arXiv 2302.13971"),
    "llama-13b": (1.0, "arXiv 2302.13971"),
    "llama-30b": (1.4, "arXiv 2302.13971"),
    "llama-65b": (1.4, "arXiv 2302.13971"),
    "llama-2": (2.0, "arXiv 2307.09288"),
    "llama-3": (15.0, "model card of Llama 3"),
    "llama-3.1": (15.0, "model card of Llama 3.1"),
    "llama-3.2": (9.0, "model card of Llama 3.2"),
    "llama-3.3": (15.0, "model card of Llama 3.3"),
    "mpt-7b": (1.0, "model card of MPT-7B"),
    "mpt-30b": (1.0, "model card of MPT-30B"),
    "olmo-2-1124-7b": (4.0, "arXiv 2501.00656"),
    "olmo-2-1124-13b": (5.0, "arXiv 2501.00656"),
    "olmo-7b": (2.46, "arXiv 2402.00838"),
    "opt": (0.18, "arXiv 2205.01068"),
    "phi-1_5": (0.15, "arXiv 2309.05463"),
    "phi-2": (1.4, "model card of Phi-2"),
    "phi-3-mini": (3.3, "arXiv 2404.14219"),
    "phi-3-small": (4.8, "arXiv 2404.14219"),
    "phi-3-medium": (4.8, "arXiv 2404.14219"),
    "phi-3.5-mini": (3.4, "model card of Phi-3.5-mini"),
    "phi-4": (10.0, "arXiv 2412.08905"),
    "pythia": (0.3, "arXiv 2304.01373"),
    "qwen1.5": (3.0, "arXiv 2407.10671"),
    "qwen2-0.5b": (12.0, "arXiv 2407.10671"),
    "qwen2": (7.0, "arXiv 2407.10671"),
    "qwen2.5": (18.0, "arXiv 2412.15115"),
    "smollm-135m": (0.6, "blog post of SmolLM"),
    "smollm-360m": (0.6, "blog post of SmolLM"),
    "smollm-1.7b": (1.0, "blog post of SmolLM"),
    "smollm2-135m": (2.0, "arXiv 2502.02737"),
    "smollm2-360m": (4.0, "arXiv 2502.02737"),
    "smollm2-1.7b": (11.0, "arXiv 2502.02737"),
    "stablelm-2-1_6b": (2.0, "arXiv 2402.17834"),
    "stablelm-2-12b": (2.0, "model card of Stable LM 2 12B"),
    "tinyllama": (3.0, "arXiv 2401.02385"),
    "yi-6b": (3.1, "arXiv 2403.04652"),
    "yi-34b": (3.1, "arXiv 2403.04652"),
    "yi-1.5": (3.6, "model card of Yi-1.5"),
}


def base_name(name: str) -> str:
    """The name of a model as this table spells it: without its owner, in lower case.

    Examples
    --------
    >>> base_name("meta-llama/Meta-Llama-3-8B")
    'llama-3-8b'
    """
    return re.sub(r"^(meta-llama|open_llama)(?=-\d)", "llama", name.rsplit("/", 1)[-1].strip().lower())


def known_base(names: list[str], known: Mapping[str, float]) -> str | None:
    """The entry that the first recognisable name starts with; the longest one where several fit.

    Parameters
    ----------
    names : list of str
        Of the base model, and of the model itself.
    known : mapping
        Starts of names.

    Examples
    --------
    >>> known_base(["", "owner/Qwen2.5-7B-Instruct"], {"qwen2": 7.0, "qwen2.5": 18.0})
    'qwen2.5'
    """
    for name in map(base_name, names):
        fitting = [start for start in known if re.match(rf"{re.escape(start)}(?![a-z0-9.])", name)]
        if fitting:
            return max(fitting, key=len)
    return None
