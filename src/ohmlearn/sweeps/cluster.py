"""Computing many points on a cluster, through a Dask scheduler that is already there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from .. import __version__
from ..errors import ConfigError, OhmlearnError
from .engine import Engine
from .points import Job, Result, compute, failure

__all__ = ["on_cluster"]

_PATIENCE = 20.0  # seconds to wait for the scheduler
_RETRIES = 3  # of a task, where something around it went wrong


def on_cluster(address: str) -> Engine:
    """Return the engine that computes on the workers of the scheduler at *address*.

    Workers that die are the scheduler's business: it gives their points to others. They need
    this version of Ohmlearn, and find data sets and runs under the same paths.

    Raises
    ------
    ConfigError
        ``distributed`` is not installed, or nobody answers at *address*.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "--scheduler needs Dask's distributed scheduler: pip install 'ohmlearn[cluster]'."
        ) from error

    def engine(jobs: Sequence[Job]) -> Iterator[Result]:
        client = _client(address)
        try:
            yield from _computed(client, jobs, address)
        finally:
            client.close(timeout=2)

    return engine


def _client(address: str) -> Any:
    """Return a client of the scheduler at *address*, after that has answered.

    A client is only made where a scheduler answers: one that fails to start is closed whenever
    it is collected, in whichever thread, and can bring that thread to a standstill.

    Raises
    ------
    ConfigError
        No scheduler answers.
    """
    import asyncio

    from distributed import Client

    try:
        kind = asyncio.run(asyncio.wait_for(_kind(address), _PATIENCE))
        if kind != "Scheduler":
            raise ValueError(f"a {kind.lower()} does")
    except Exception as error:  # what speaks otherwise can make any of its first bytes
        reason = f"{error}" or f"silence for {_PATIENCE:g} s"
        raise ConfigError(
            f"--scheduler {address}: no Dask scheduler answers there ({reason}); an address is "
            "like tcp://127.0.0.1:8786."
        ) from error
    return Client(address, timeout=_PATIENCE, set_as_default=False)


async def _kind(address: str) -> str:
    """Return what part of a cluster answers at *address*: Scheduler, Worker, Nanny."""
    from distributed.core import rpc
    from distributed.security import Security

    connection = Security().get_connection_args("client")
    async with rpc(address, timeout=_PATIENCE, connection_args=connection) as there:
        identity: Any = await there.identity()
        return str(identity["type"])


def _computed(client: Any, jobs: Sequence[Job], address: str) -> Iterator[Result]:
    """Yield the results as they arrive.

    Raises
    ------
    OhmlearnError
        The scheduler is gone, or it or its workers cannot run this version of Ohmlearn.
    """
    from distributed import CancelledError

    try:
        _same_version(client, address)
        yield from _results(client, jobs)
    except OhmlearnError:
        raise
    except (CancelledError, OSError) as error:
        raise OhmlearnError(
            f"the Dask scheduler at {address} is gone; the same command goes on with the points "
            "that are missing."
        ) from error
    except Exception as error:  # what goes wrong with a point is its result, so this is not one
        raise OhmlearnError(
            f"the scheduler at {address} or its workers cannot compute points: "
            f"{' '.join(str(error).split())}; all of them need this version of ohmlearn."
        ) from error


def _same_version(client: Any, address: str) -> None:
    found = client.run(_version)
    if any(version != __version__ for version in found.values()):
        others = ", ".join(sorted(set(map(str, found.values()))))
        raise OhmlearnError(
            f"the workers at {address} have ohmlearn {others}, this is {__version__}; both must "
            "be the same."
        )


def _results(client: Any, jobs: Sequence[Job]) -> Iterator[Result]:
    """Yield the results as they arrive; give a point up where workers keep dying on it."""
    from distributed import KilledWorker, as_completed

    names = [f"ohmlearn-{job['key']}" for job in jobs]
    orders = [job | {"folder": None} for job in jobs]  # disks of other machines are not ours
    futures = client.map(compute, orders, key=names, pure=False, retries=_RETRIES)
    keys = {future.key: job["key"] for future, job in zip(futures, jobs, strict=True)}
    try:
        for future in as_completed(futures, loop=client.loop):
            try:
                yield future.result()
            except KilledWorker:
                yield failure(keys[future.key], "its workers died every time.")
    finally:
        with suppress(Exception):  # of a scheduler that is gone
            client.cancel(futures)


def _version() -> str:
    from ohmlearn import __version__

    return __version__
