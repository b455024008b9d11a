"""The arrays of memristors that an experiment describes, before anything is written to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from numpy.typing import DTypeLike

from ..crossbar.array import Crossbar
from ..errors import ConfigError
from ..experiment import Experiment
from ..settings.cell import Cell, choose_access, choose_cell

__all__ = ["draw_arrays", "memristor"]


def memristor(experiment: Experiment) -> Cell:
    """Return the cell that ``[device]`` and ``[crossbar]`` describe.

    Raises
    ------
    ConfigError
        If there is no section ``[device]``.
    DeviceError
        If the cell's parameters or effects are not allowed.
    """
    if experiment.device is None:
        raise ConfigError("run.level is 'device', so the experiment needs a [device] section.")
    return choose_cell(experiment.device, experiment.crossbar)


def draw_arrays(
    experiment: Experiment,
    cell: Cell,
    shapes: Iterable[tuple[int, int]],
    weight_ranges: Sequence[float],
    encoding: str,
    dtype: DTypeLike,
) -> list[Crossbar]:
    """Return one array of *cell* per shape (rows, columns), with the experiment's transistors.

    An array's number is its place among *shapes*; *weight_ranges* says what each can hold.
    """
    transistor = {}
    if experiment.access is not None:
        transistor = {
            "access": choose_access(experiment.access),
            "v_gate": experiment.access.v_gate,
        }
    return [
        Crossbar.build(
            *shape,
            *cell,
            encoding=encoding,
            weight_range=weight_range,
            v_read=experiment.crossbar.v_read,
            seed=experiment.run.seed,
            array_id=number,
            dtype=dtype,
            **transistor,
        )
        for number, (shape, weight_range) in enumerate(zip(shapes, weight_ranges, strict=True))
    ]
