"""Shards at the same time, on whatever joblib is told to use, one by one as they are done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import batched
from queue import SimpleQueue
from typing import Any

import xarray as xr

from bayes_scaling.evaluation.backtest.shards import Shard, failed, one_thread, run_shard

Keyed = tuple[str, xr.Dataset]


def computed(shards: Mapping[str, Shard], n_jobs: int | None) -> Iterator[Keyed]:
    """Run shards on the backend that ``joblib.parallel_config`` names, on local processes by default.

    Parameters
    ----------
    shards : mapping
        Key -> shard.
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
    if not shards:
        return
    with one_thread():  # of threads, each would restore what another one set
        if hasattr(backend, "client"):
            yield from _on_dask(backend.client, shards)
        elif at_once == 1:
            yield from map(_keyed, shards, shards.values())
        elif backend.supports_return_generator:
            yield from _parallel(shards, at_once, "generator_unordered")
        else:  # Ray, multiprocessing: some at a time, so that these can be kept before the next
            for some in batched(shards.items(), backend.effective_n_jobs(at_once)):
                yield from _parallel(dict(some), at_once, "list")


def _parallel(shards: Mapping[str, Shard], n_jobs: int, return_as: str) -> Iterator[Keyed]:
    from joblib import Parallel, delayed

    # One fit a task: batches of several would come, and be kept, together.
    calls = (delayed(_keyed)(key, shard) for key, shard in shards.items())
    yield from Parallel(n_jobs=n_jobs, return_as=return_as, batch_size=1)(calls)


def _keyed(key: str, shard: Shard) -> Keyed:
    return key, run_shard(shard)


def _on_dask(client: Any, shards: Mapping[str, Shard]) -> Iterator[Keyed]:
    """Run shards on the cluster of joblib's dask backend, past joblib 1.6: it waits for ever for a worker that died.

    Workers that are not there yet are waited for, as jobs are that stand in a queue.
    """
    done: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    futures = []
    try:
        for key, shard in shards.items():
            future = client.submit(run_shard, shard, pure=False)
            future.add_done_callback(lambda future, key=key: done.put((key, future)))
            futures.append(future)
        for _ in shards:
            key, future = done.get()
            lost = None if future.status == "finished" else future.exception()
            yield key, failed(shards[key], lost) if lost else future.result()
    finally:
        client.cancel(futures)
