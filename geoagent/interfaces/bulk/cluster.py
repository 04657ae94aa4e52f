"""Making shards on a Ray cluster: one actor a worker, each with a worker process of its own.

A photo that kills its worker process costs that photo alone. An actor that dies is replaced here, since Ray never
replaces one of a fixed pool, and its shard is made again.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

from geoagent.agent.pool import Pool
from geoagent.errors import GeoAgentError, InputError
from geoagent.interfaces.bulk.making import make_shards
from geoagent.interfaces.bulk.plan import Plan, State
from geoagent.optional import needs

_TRIES = 5


class Hand:
    """What an actor does: it makes one shard after another."""

    def __init__(self, plan: Plan, retry_errors: bool) -> None:
        self._plan, self._retry = plan, retry_errors
        self._pool = Pool(plan.kind.make, plan.given, 1)

    def make(self, number: int) -> State | GeoAgentError:
        """Make one shard; an error of ours is returned, since Ray would wrap it."""
        try:
            (state,) = make_shards(self._plan, [number], self._pool, retry_errors=self._retry)
        except GeoAgentError as error:
            return error
        return state


def make_on_ray(
    plan: Plan,
    numbers: Sequence[int],
    *,
    address: str | None = None,
    workers: int | None = None,
    gpus: float = 0.0,
    retry_errors: bool = False,
) -> Iterator[State]:
    """Make shards on a Ray cluster, in the order in which they are finished.

    Every node must have geoagent installed, and must see the photos and the output under the same names.

    Args:
        plan: what is made.
        numbers: which shards.
        address: of the cluster ("ray://head:10001", "auto"); None starts one on this machine.
        workers: how many actors; None for one a core of the cluster.
        gpus: GPUs that the actors share.
        retry_errors: whether rows with errors are made again.

    Raises:
        InputError: there is no cluster, or a shard ended five actors.
        MissingDependency: ray is not installed.
    """
    with needs("bulk", "ray"):
        import ray
    mine = not ray.is_initialized()
    if mine:
        _connect(ray, address, workers)
    try:
        count = workers if workers is not None else max(1, int(ray.cluster_resources().get("CPU", 1)))
        count = min(count, max(1, len(numbers)))
        actor = ray.remote(num_cpus=1, num_gpus=gpus / count)(Hand)
        waiting, tries = deque(numbers), Counter[int]()
        running: dict[Any, tuple[Any, int]] = {}
        for _ in range(count):
            if waiting:
                _give(actor.remote(plan, retry_errors), waiting.popleft(), running)
        while running:
            ready, _ = ray.wait(list(running), timeout=1.0)
            for reference in ready:
                hand, number = running.pop(reference)
                try:
                    state = ray.get(reference)
                except ray.exceptions.RayActorError as error:
                    tries[number] += 1
                    if tries[number] >= _TRIES:
                        raise InputError(f"shard {number} ended {_TRIES} actors, the last: {error}") from error
                    waiting.append(number)
                    hand = actor.remote(plan, retry_errors)
                else:
                    if isinstance(state, GeoAgentError):
                        raise state
                    yield state
                if waiting:
                    _give(hand, waiting.popleft(), running)
    finally:
        if mine:
            ray.shutdown()


def _give(hand: Any, number: int, running: dict[Any, tuple[Any, int]]) -> None:
    running[hand.make.remote(number)] = hand, number


def _connect(ray: Any, address: str | None, workers: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is not None:
            ray.init(address=address, **quiet)
            return
        # A worker of Ray starts with another path, in which a plug of the user's own would not be found.
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
        ray.init(num_cpus=workers, include_dashboard=False, runtime_env=environment, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
