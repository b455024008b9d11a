"""What in an experiment does not fit together or cannot be meant, one sentence for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from .device import DeviceSection
from .resistive import Whole as ResistiveWhole
from .resistive import resistive_conflicts
from .sections import EvaluationSection

__all__ = ["conflicts"]

_VECTOR_FIELD = ("vf", "cvf")
_SMALLEST, _LARGEST = 1e-30, 1e30  # SI units; squares of what lies beyond overflow or vanish


class Whole(ResistiveWhole, Protocol):
    """What is asked of an experiment."""

    @property
    def device(self) -> DeviceSection | None: ...
    @property
    def evaluation(self) -> EvaluationSection: ...

    def model_dump(self) -> dict[str, Any]:
        """Return all keys as plain tables."""
        ...


def conflicts(e: Whole) -> Iterator[str]:
    """Yield a sentence for everything in *e* that does not fit together."""
    for key, value in _floats(e.model_dump()):
        if value and not _SMALLEST <= abs(value) <= _LARGEST:
            allowed = f"0 or between {_SMALLEST:g} and {_LARGEST:g}"
            yield f"{key} is {value:g}; a number must be {allowed}."
    yield from _rule_conflicts(e)
    yield from _shape_conflicts(e)
    yield from _device_conflicts(e)
    yield from _periphery_conflicts(e)
    yield from resistive_conflicts(e)


def _floats(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of an experiment that is not whole by nature, with its dotted key."""
    if isinstance(value, float):
        yield key, value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _floats(entry, f"{key}.{name}" if key else name)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _floats(entry, key)


def _rule_conflicts(e: Whole) -> Iterator[str]:
    rule, network, learning = e.learning.rule, e.network, e.learning
    if rule in _VECTOR_FIELD and network.symmetric and network.kind == "hopfield":
        yield (
            f"learning.rule is '{rule}', which learns separate forward and backward weights; it "
            "needs network.symmetric = false (with symmetric weights use 'ep', 'cep' or "
            "'centred-ep')."
        )
    if rule not in _VECTOR_FIELD and not network.symmetric:
        fits = "cvf" if rule == "cep" else "vf"
        yield (
            f"learning.rule is '{rule}', which needs network.symmetric = true; with separate "
            f"forward and backward weights the rule that fits is '{fits}'."
        )
    if network.symmetric and network.angle != 0:
        yield (
            f"network.angle is {network.angle:g}; symmetric weights have no angle between "
            "forward and backward: leave it out, or set network.symmetric = false."
        )
    if rule == "centred-ep" and learning.random_sign:
        yield (
            "learning.random_sign is true; it must be false with rule 'centred-ep', which always "
            "nudges with both signs."
        )
    if learning.slope and (rule not in _VECTOR_FIELD or network.dynamics != "prototypical"):
        yield (
            f"learning.slope is true, rule '{rule}' and dynamics '{network.dynamics}'; it acts "
            "with rules 'vf' and 'cvf' in the prototypical dynamics only."
        )
    if learning.policy == "sign-threshold" and learning.threshold is None:
        yield (
            "learning.threshold is missing; policy 'sign-threshold' needs it: a number of pulses "
            "above 0."
        )
    if learning.policy != "sign-threshold" and learning.threshold is not None:
        yield (
            f"learning.threshold is {learning.threshold:g}; only policy 'sign-threshold' has a "
            f"threshold, and the policy is '{learning.policy}'."
        )


def _shape_conflicts(e: Whole) -> Iterator[str]:
    weight_layers = len(e.network.layers) - 1
    per_layer = {"learning.eta": e.learning.eta, "crossbar.weight_range": e.crossbar.weight_range}
    for key, values in per_layer.items():
        if len(values) != weight_layers:
            yield (
                f"{key} has {len(values)} entries; it must be one number, or a list of "
                f"{weight_layers}: one per weight layer of network.layers = "
                f"{list(e.network.layers)}."
            )


def _device_conflicts(e: Whole) -> Iterator[str]:
    low, high = e.crossbar.g_min, e.crossbar.g_max
    if low is not None and high is not None and low >= high:
        yield f"crossbar.g_min is {low:g} S; it must be below crossbar.g_max, {high:g} S."
    if e.device is None:
        if e.run.level == "device":
            yield (
                "run.level is 'device', which needs a [device] section with a preset or a model."
            )
    elif (e.device.preset is None) == (e.device.model is None):
        given = "neither" if e.device.preset is None else "both"
        yield f"section [device] has {given} of preset and model; it must have exactly one."


def _periphery_conflicts(e: Whole) -> Iterator[str]:
    if e.evaluation.after_seconds and e.run.level != "device":
        yield (
            "evaluation.after_seconds asks what time does to conductances; it needs run.level = "
            "'device'."
        )
    if e.crossbar.tile is not None and e.crossbar.encoding == "pair" and e.crossbar.tile[1] < 2:
        yield "crossbar.tile has one bit line; with encoding 'pair' it must have at least 2."
    if e.converters.adc_bits is None and (e.converters.adc_noise or e.converters.adc_offset):
        yield (
            "converters.adc_noise and adc_offset are in units of the ADC's last bit; they need "
            "converters.adc_bits."
        )
    if e.wires is None:
        return
    ohms = e.wires.r_word is not None, e.wires.r_bit is not None
    if (e.wires.node is None) != all(ohms) or (e.wires.node is not None and any(ohms)):
        yield "section [wires] needs either node, or both r_word and r_bit."
