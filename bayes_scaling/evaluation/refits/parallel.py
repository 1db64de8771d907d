"""Tasks at the same time, on whatever joblib is told to use, one by one as they are done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import batched
from queue import SimpleQueue
from typing import Any

import xarray as xr

from bayes_scaling.evaluation.refits.task import Task, failed, one_thread, run_task

Keyed = tuple[str, xr.Dataset]


def computed(tasks: Mapping[str, Task], n_jobs: int | None) -> Iterator[Keyed]:
    """Run tasks on the backend that ``joblib.parallel_config`` names, on local processes by default.

    Parameters
    ----------
    tasks : mapping
        Key -> task.
    n_jobs : int, optional
        At the same time; by default what joblib is told, or as many as there are processors.

    Yields
    ------
    key, result
        As they are done, in any order.
    """
    from joblib.parallel import get_active_backend

    backend, told = get_active_backend()
    at_once = -1 if told is None else told
    at_once = at_once if n_jobs is None else n_jobs
    if not tasks:
        return
    with one_thread():  # of threads, each would restore what another one set
        if hasattr(backend, "client"):
            yield from _on_dask(backend.client, tasks)
        elif at_once == 1:
            yield from map(_keyed, tasks, tasks.values())
        elif backend.supports_return_generator:
            yield from _parallel(tasks, at_once, "generator_unordered")
        else:  # Ray, multiprocessing: some at a time, so that these can be kept before the next
            for some in batched(tasks.items(), backend.effective_n_jobs(at_once)):
                yield from _parallel(dict(some), at_once, "list")


def _parallel(tasks: Mapping[str, Task], n_jobs: int, return_as: str) -> Iterator[Keyed]:
    from joblib import Parallel, delayed

    # One fit a task: batches of several would come, and be kept, together.
    calls = (delayed(_keyed)(key, task) for key, task in tasks.items())
    yield from Parallel(n_jobs=n_jobs, return_as=return_as, batch_size=1)(calls)


def _keyed(key: str, task: Task) -> Keyed:
    return key, run_task(task)


def _on_dask(client: Any, tasks: Mapping[str, Task]) -> Iterator[Keyed]:
    """Run tasks on the cluster of joblib's dask backend, past joblib 1.6: it waits for ever for a worker that died.

    Workers that are not there yet are waited for, as jobs are that stand in a queue.
    """
    done: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    futures = []
    try:
        for key, task in tasks.items():
            future = client.submit(run_task, task, pure=False)
            future.add_done_callback(lambda future, key=key: done.put((key, future)))
            futures.append(future)
        for _ in tasks:
            key, future = done.get()
            lost = None if future.status == "finished" else future.exception()
            yield key, failed(tasks[key], lost) if lost else future.result()
    finally:
        client.cancel(futures)
