"""The sections of an experiment file, one model per section; larger ones have files of their own.

The description of a field is the end of the sentence "it must be ...", which is what a reader
of an error message needs. Every quantity is in SI units unless its description says otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = [
    "CrossbarSection",
    "DataSection",
    "EvaluationSection",
    "LearningSection",
    "NetworkSection",
    "RunSection",
    "TrainingSection",
]

DATA_SETS = ("digits", "iris", "or", "and", "xor", "mnist", "fashion_mnist", "kmnist")

Count = Annotated[int, Field(ge=1, description="a whole number of at least 1")]
Positive = Annotated[float, Field(gt=0, description="a finite number above 0")]


class Section(BaseModel):
    """A part of an experiment: types are strict, keys are known, numbers are finite."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _data_name(name: str) -> str:
    if name not in DATA_SETS and not name.lower().endswith(".npz"):
        raise ValueError("unknown data set")
    return name


class DataSection(Section):
    """``[data]``: what is learned."""

    name: Annotated[
        str,
        AfterValidator(_data_name),
        Field(description=f"one of {', '.join(DATA_SETS)}, or the path of an .npz file"),
    ]
    limit_train: Annotated[
        int | None, Field(ge=1, description="a whole number of at least 1 (training rows used)")
    ] = None
    limit_test: Annotated[
        int | None, Field(ge=1, description="a whole number of at least 1 (test rows used)")
    ] = None


class NetworkSection(Section):
    """``[network]``: a layered network; ``layers`` counts the input first.

    ``kind`` is 'hopfield', or 'resistive', whose further keys are those of ``[resistive]``; all
    keys below belong to the Hopfield type. ``time_step``, ``clamp`` and ``output_slope`` (the
    factor rho' on the output layer) act in the energy-based dynamics only. ``clamp`` defaults to
    true for the activations that live in [0, 1], and to false for tanh.
    """

    layers: Annotated[
        tuple[Count, ...],
        Field(
            strict=False,
            min_length=2,
            description="a list of at least 2 layer sizes, input first, such as [64, 128, 10]",
        ),
    ]
    kind: Annotated[
        Literal["hopfield", "resistive"], Field(description="'hopfield' or 'resistive'")
    ] = "hopfield"
    dynamics: Annotated[
        Literal["prototypical", "energy-based"],
        Field(description="'prototypical' or 'energy-based'"),
    ] = "prototypical"
    activation: Annotated[
        Literal["sigmoid", "tanh", "hard-sigmoid", "half-hard-sigmoid"],
        Field(description="'sigmoid', 'tanh', 'hard-sigmoid' or 'half-hard-sigmoid'"),
    ] = "sigmoid"
    symmetric: Annotated[bool, Field(description="true or false")] = True
    angle: Annotated[
        float, Field(ge=0, le=180, description="an angle in degrees from 0 to 180")
    ] = 0.0
    time_step: Annotated[
        float, Field(gt=0, le=1, description="a number above 0 and at most 1 (units of tau)")
    ] = 0.2
    clamp: Annotated[bool, Field(description="true or false")] = True
    output_slope: Annotated[bool, Field(description="true or false")] = True


class CrossbarSection(Section):
    """``[crossbar]``: how a weight becomes conductances (level 'device' only).

    A layer larger than ``tile`` is split into tiles; without it, every layer is one.
    """

    encoding: Annotated[
        Literal["pair", "offset", "single"], Field(description="'pair', 'offset' or 'single'")
    ] = "pair"
    g_min: Annotated[
        float | None, Field(gt=0, description="a conductance above 0, in siemens")
    ] = None
    g_max: Annotated[
        float | None, Field(gt=0, description="a conductance above 0, in siemens")
    ] = None
    weight_range: Annotated[
        tuple[Positive, ...],
        Field(
            strict=False,
            description="the |weight| that the full window represents: a number above 0, or a "
            "list with one such number per weight layer",
        ),
    ] = (1.0,)
    v_read: Annotated[float, Field(gt=0, description="a voltage above 0, in volts")] = 0.2
    tile: Annotated[
        tuple[Count, Count] | None,
        Field(
            strict=False,
            description="a list of two whole numbers: word lines and bit lines of a tile, such as "
            "[128, 128]",
        ),
    ] = None


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("zero")
    return value


class LearningSection(Section):
    """``[learning]``: the rule, and the policy that turns its requests into pulses.

    ``eta`` has one learning rate per weight layer, in the order from input to output; after each
    epoch all are multiplied by ``eta_decay``.
    ``policy`` acts at level 'device'; ``threshold`` is in pulses. ``slope`` multiplies the updates
    of the vector-field rules by the slope of the activation, as their definition has it for the
    prototypical dynamics. ``input_bias`` false keeps the biases of the first layer as they are.
    """

    rule: Annotated[
        Literal["ep", "cep", "centred-ep", "vf", "cvf"],
        Field(description="'ep', 'cep', 'centred-ep', 'vf' or 'cvf'"),
    ]
    beta: Annotated[
        float, AfterValidator(_not_zero), Field(description="a finite number other than 0")
    ]
    random_sign: Annotated[bool, Field(description="true or false")] = False
    eta: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(
            strict=False,
            description="a learning rate of at least 0, or a list with one per weight layer, "
            "from input to output",
        ),
    ]
    eta_decay: Annotated[
        float, Field(gt=0, le=1, description="a factor per epoch, above 0 and at most 1")
    ] = 1.0
    free_steps: Count
    nudged_steps: Count
    policy: Annotated[
        Literal["ideal", "stochastic", "deterministic", "deterministic-residue", "sign-threshold"],
        Field(
            description="'ideal', 'stochastic', 'deterministic', 'deterministic-residue' or "
            "'sign-threshold'"
        ),
    ] = "stochastic"
    threshold: Annotated[float | None, Field(gt=0, description="a number of pulses above 0")] = (
        None
    )
    slope: Annotated[bool, Field(description="true or false")] = False
    input_bias: Annotated[bool, Field(description="true or false")] = True


class TrainingSection(Section):
    """``[training]``: how long, and how many samples share one update."""

    epochs: Count
    batch_size: Count = 1


class EvaluationSection(Section):
    """``[evaluation]``: what is tested besides the network as it was trained.

    ``after_seconds`` lists the rest between training and testing: the test set is read again
    after each, with the conductances as the device's retention leaves them.
    """

    after_seconds: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(strict=False, description="a list of times of at least 0, in seconds"),
    ] = ()


class RunSection(Section):
    """``[run]``: what may change without changing the question asked.

    ``level`` defaults to 'device' where the experiment has a ``[device]`` section. With
    ``simulator`` 'ngspice' a resistive network learns in ngspice: it settles the nodes, and at
    level 'device' it also applies the programming pulses, to the cells as a netlist.
    """

    seed: Annotated[
        int, Field(ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")
    ] = 0
    level: Annotated[Literal["ideal", "device"], Field(description="'ideal' or 'device'")] = (
        "ideal"
    )
    precision: Annotated[
        Literal["float32", "float64"], Field(description="'float32' or 'float64'")
    ] = "float32"
    simulator: Annotated[
        Literal["numba", "ngspice"], Field(description="'numba' or 'ngspice'")
    ] = "numba"
    threads: Count = 1
    checkpoint_seconds: Positive = 60.0
