"""Logs as tools write them, made up."""

import json


def lm_eval(**change):
    """lm-evaluation-harness 0.4: a group within a group, two metrics, two filters, and what is no share of items."""
    log = {
        "results": {
            "all": {" ": " ", "alias": "all"},
            "exam": {"acc,none": 0.30, "acc_stderr,none": "N/A", "alias": "exam"},
            "exam_science": {"acc,none": 0.35, "acc_stderr,none": 0.02, "alias": " - science"},
            "exam_physics": {"acc,none": 0.35, "alias": "  - physics"},
            "exam_history": {"acc,none": 0.25, "alias": " - history"},
            "piqa": {"acc,none": 0.61, "acc_stderr,none": 0.01, "acc_norm,none": 0.62, "alias": "piqa"},
            "gsm8k": {"exact_match,strict-match": 0.02, "exact_match,flexible-extract": 0.05, "alias": "gsm8k"},
            "humaneval": {"pass@1,create_test": 0.10, "pass@10,create_test": 0.30},
            "wikitext": {"word_perplexity,none": 30.0, "bits_per_byte,none": 0.9},
        },
        "groups": {"exam": {"acc,none": 0.30}},
        "group_subtasks": {"all": ["piqa", "gsm8k"], "exam": ["exam_science", "exam_history"],
                           "exam_science": ["exam_physics"], "piqa": []},
        "n-shot": {"piqa": 0, "gsm8k": 5},
        "n-samples": {"piqa": {"original": 1838, "effective": 1838}, "gsm8k": {"original": 1319, "effective": 200},
                      "exam_physics": {"original": 100, "effective": 100},
                      "exam_history": {"original": 200, "effective": 200}},
        "higher_is_better": {"wikitext": {"word_perplexity": False, "bits_per_byte": False}},
        "config": {"model": "hf", "model_args": "pretrained=lab/toy,revision=step4000",
                   "model_num_parameters": 120000000},
        "date": 1.7e9, "model_name": "lab/toy",
    }  # fmt: skip
    return log | change


def lm_eval_03():
    return {"results": {"sciq": {"acc": 0.7, "acc_stderr": 0.01}, "lambada_openai": {"ppl": 11.0, "acc": 0.4}},
            "versions": {"sciq": 0},
            "config": {"model": "gpt2", "model_args": "pretrained=lab/old", "num_fewshot": 0}}  # fmt: skip


def every_eval_ever():
    def result(name, score, unit=None, **config):
        config = {"lower_is_better": False, "score_type": "continuous", "min_score": 0, "max_score": 1} | config
        return {"evaluation_name": name, "metric_config": config, "score_details": {"score": score} | (unit or {}),
                "source_data": {"dataset_name": "ai2_arc", "source_type": "hf_dataset",
                                "samples_number": 2376}}  # fmt: skip

    return {
        "schema_version": "0.2.2", "evaluation_id": "x/y/1", "retrieved_timestamp": "1760000000.0",
        "model_info": {"name": "lab/toy", "id": "lab/toy",
                       "additional_details": {"num_parameters": "120000000", "training_tokens": "2400000000"}},
        "evaluation_results": [
            result("choice", 41.0, {"uncertainty": {"num_samples": 300}}, max_score=100, metric_id="accuracy"),
            result("humaneval", 0.1, metric_id="pass_at_k", metric_parameters={"k": 10}),
            result("wikitext", 30.0, lower_is_better=True, max_score=1e6, metric_id="perplexity"),
            result("graded", 2, score_type="levels", metric_id="accuracy"),
            result("broken", 4.0, metric_id="accuracy"),
        ],
    }  # fmt: skip


def olmes(name="arc_challenge", primary="acc_uncond", **change):
    record = {
        "task_name": name, "task_idx": 0, "num_instances": 1172,
        "model_config": {"model": "toy", "revision": "step1250-unsharded-hf"},
        "task_config": {"primary_metric": primary, "num_shots": 5, "metadata": {"alias": f"{name}:rc::olmes"}},
        "metrics": {"acc_raw": 0.22, "acc_uncond": 0.27, "acc_per_char": None, "bits_per_byte_corr": 1.1,
                    "primary_score": 0.27},
    }  # fmt: skip
    return record | change


def evalplus(old=False):
    outcomes = {
        "HumanEval/0": [("fail", "fail")] * 3,
        "HumanEval/1": [("pass", "pass"), ("pass", "fail"), ("fail", "pass")],
    }
    if old:
        return {"date": "2024-01-01", "hash": "0", "eval": {
            problem: {"nfiles": 3, "base": [[b, []] for b, _ in rows], "plus": [[p, []] for _, p in rows]}
            for problem, rows in outcomes.items()}}  # fmt: skip
    return {"date": "2026-01-01", "hash": "0", "eval": {
        problem: [{"task_id": problem, "base_status": b, "plus_status": p} for b, p in rows]
        for problem, rows in outcomes.items()}}  # fmt: skip


def helm():
    return [{"name": {"name": "exact_match", "split": "test"}, "count": 1, "mean": 0.52},
            {"name": {"name": "num_instances", "split": "test"}, "count": 1, "mean": 500.0},
            {"name": {"name": "exact_match", "split": "test", "perturbation": {"name": "robustness"}}, "count": 1,
             "mean": 0.4},
            {"name": {"name": "logprob", "split": "test"}, "count": 0}]  # fmt: skip


def samples(kept):
    """Per-sample lines of three documents; how many answers the filter kept is given."""
    lines = [{"doc_id": i, "resps": [["a", "b", "c", "d"]], "filtered_resps": [["a", "b", "c", "d"][:kept]],
              "filter": "take", "metrics": ["exact_match"], "exact_match": i / 2 if kept > 1 else float(i > 0)}
             for i in range(3)]  # fmt: skip
    return "\n".join(map(json.dumps, lines))


def put(folder, **files):
    """Write files: values as JSON, text as it is; two underscores in a name stand for a dot."""
    for name, value in files.items():
        path = folder / name.replace("__", ".")
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder
