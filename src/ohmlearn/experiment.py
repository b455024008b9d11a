"""An experiment: one TOML file that says what is learned, on what, how, and how long.

Every error is one sentence that names the file, the section and key, what was given and what is
allowed; an experiment with several errors gets them all, one a line.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from .cell import choose_access, choose_cell
from .errors import ConfigError, DeviceError
from .overrides import apply_overrides
from .own_presets import own_preset_spelled_out
from .settings.circuit import CircuitSection
from .settings.explanations import explain
from .settings.hardware import HardwareSection
from .settings.periphery import AccessSection, ConvertersSection, WiresSection
from .settings.resistive import HOPFIELD_ONLY, ResistiveSection, fill_in, resistive_conflicts
from .settings.sections import (
    CrossbarSection,
    DataSection,
    DeviceSection,
    EvaluationSection,
    LearningSection,
    NetworkSection,
    RunSection,
    Section,
    TrainingSection,
)

__all__ = ["Experiment", "load_experiment", "parse_experiment"]

DEFAULT = "the default experiment"

_VECTOR_FIELD = ("vf", "cvf")

# What may differ between a run and its continuation: it changes no bit of the result.
_NOT_IN_DIGEST: Any = {
    "run": {"threads", "checkpoint_seconds"},
    "circuit": True,
    "hardware": True,
}


class Experiment(Section):
    """A complete, resolved description of a run.

    Numbers that stand for every weight layer (``learning.eta``, ``crossbar.weight_range``) are
    spelled out, one per layer from input to output, and defaults that depend on other keys
    (``network.clamp``, ``run.level``) are filled in.
    """

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$",
            description="a name for files: letters, digits, '.', '_' and '-', at most 100",
        ),
    ]
    data: DataSection
    network: NetworkSection
    resistive: ResistiveSection | None = None
    device: DeviceSection | None = None
    access: AccessSection | None = None
    crossbar: CrossbarSection = Field(default_factory=CrossbarSection)
    converters: ConvertersSection = Field(default_factory=ConvertersSection)
    wires: WiresSection | None = None
    learning: LearningSection
    training: TrainingSection
    evaluation: EvaluationSection = Field(default_factory=EvaluationSection)
    circuit: CircuitSection = Field(default_factory=CircuitSection)
    hardware: HardwareSection | None = None
    run: RunSection = Field(default_factory=RunSection)

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, document: Any) -> Any:
        return _resolved(document) if isinstance(document, Mapping) else document

    @model_validator(mode="after")
    def _agree(self) -> Self:
        sentences = [
            *_rule_conflicts(self),
            *_shape_conflicts(self),
            *_device_conflicts(self),
            *_periphery_conflicts(self),
            *resistive_conflicts(self),
        ]
        if sentences:
            raise ValueError("\n".join(sentences))
        return self

    def to_toml(self) -> str:
        """Return the resolved experiment as TOML; reading it back gives an equal experiment."""
        unused = {"network": set(HOPFIELD_ONLY)} if self.network.kind == "resistive" else None
        return tomli_w.dumps(self.model_dump(exclude_none=True, exclude=unused))

    def digest(self) -> str:
        """Return 64 hexadecimal digits that name everything that decides the result.

        ``run.threads``, ``run.checkpoint_seconds``, ``[circuit]`` and ``[hardware]`` are left
        out: they change no bit of it.
        """
        content = self.model_dump(exclude_none=True, exclude=_NOT_IN_DIGEST)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def differences(self, other: Experiment) -> list[str]:
        """Return the dotted keys of which :meth:`digest` hears and in which *other* differs."""
        ours, theirs = (_flat(e.model_dump(exclude=_NOT_IN_DIGEST)) for e in (self, other))
        return [key for key in sorted({**ours, **theirs}) if ours.get(key) != theirs.get(key)]


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of all sections, dotted; a section that is left out has none."""
    return {
        f"{section}.{key}" if isinstance(table, dict) else section: value
        for section, table in document.items()
        for key, value in (table.items() if isinstance(table, dict) else [(section, table)])
        if value is not None
    }


def load_experiment(
    path: str | Path | None, overrides: Sequence[str] = (), seed: int | None = None
) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    path
        The TOML file; ``None`` means the default experiment that comes with the package.
    overrides
        ``"section.key=value"`` strings with the value as TOML; a bare word is a string.
    seed
        Replaces ``run.seed``.

    Raises
    ------
    ConfigError
        The file cannot be read, or a key or value is not allowed.
    """
    if path is None:
        text = (files("ohmlearn") / "default.toml").read_text(encoding="utf-8")
        return parse_experiment(text, DEFAULT, overrides, seed)
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin with a mark
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}).") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such experiment file.") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it: {error.strerror}.") from error
    return parse_experiment(text, str(path), overrides, seed, path.parent)


def parse_experiment(
    text: str,
    source: str,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    folder: Path | None = None,
) -> Experiment:
    """Build an experiment from TOML *text*; *source* names it in errors.

    A relative path in ``data.name`` or ``device.preset`` counts from *folder*, or from the
    current folder where it comes from an override. A preset of the user's own is replaced by its
    numbers, so that the experiment says everything by itself.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}.") from error
    _anchor(document, folder)
    overridden = apply_overrides(document, overrides)
    _anchor(document, Path.cwd() if "data.name" in overridden else None)
    here = Path.cwd() if "device.preset" in overridden or folder is None else folder
    try:
        own_preset_spelled_out(document, here)
    except DeviceError as error:
        raise ConfigError(f"{source}: section [device]: {error}") from error
    if seed is not None and isinstance(document.setdefault("run", {}), dict):
        document["run"]["seed"] = seed
        overridden = {**overridden, "run.seed": "--seed"}
    try:
        experiment = Experiment.model_validate(document)
    except ValidationError as error:
        raise ConfigError(explain(error, document, Experiment, source, overridden)) from error
    if experiment.device is not None:
        try:
            choose_cell(experiment.device, experiment.crossbar)
        except DeviceError as error:
            raise ConfigError(f"{source}: section [device]: {error}") from error
    try:
        choose_access(experiment.access)
    except DeviceError as error:
        raise ConfigError(f"{source}: section [access]: {error}") from error
    return experiment


def _anchor(document: dict[str, Any], folder: Path | None) -> None:
    """Make a relative data file absolute, so that the record's experiment finds it again."""
    data = document.get("data")
    name = data.get("name") if isinstance(data, dict) else None
    if folder is not None and isinstance(name, str) and name.lower().endswith(".npz"):
        path = folder / Path(name).expanduser()
        document["data"] = {**document["data"], "name": str(path.absolute())}


def _resolved(document: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults that depend on other keys; leaves everything wrong as it is."""
    full = {k: dict(v) if isinstance(v, Mapping) else v for k, v in document.items()}
    network = full.get("network")
    network = network if isinstance(network, dict) else {}
    network.setdefault("clamp", network.get("activation", "sigmoid") != "tanh")
    layers = network.get("layers")
    weight_layers = len(layers) - 1 if isinstance(layers, (list, tuple)) else 1
    crossbar = full.setdefault("crossbar", {})
    if isinstance(crossbar, dict):
        crossbar.setdefault("weight_range", 1.0)
    fill_in(full)
    run = full.setdefault("run", {})
    if isinstance(run, dict):
        run.setdefault("level", "device" if "device" in full else "ideal")
    for section, key in (("learning", "eta"), ("crossbar", "weight_range")):
        table = full.get(section)
        value = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, dict) and isinstance(value, (int, float)) and value is not True:
            table[key] = [value] * max(weight_layers, 1)
    return full


def _rule_conflicts(e: Experiment) -> Iterator[str]:
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


def _shape_conflicts(e: Experiment) -> Iterator[str]:
    weight_layers = len(e.network.layers) - 1
    per_layer = {"learning.eta": e.learning.eta, "crossbar.weight_range": e.crossbar.weight_range}
    for key, values in per_layer.items():
        if len(values) != weight_layers:
            yield (
                f"{key} has {len(values)} entries; it must be one number, or a list of "
                f"{weight_layers}: one per weight layer of network.layers = "
                f"{list(e.network.layers)}."
            )


def _device_conflicts(e: Experiment) -> Iterator[str]:
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


def _periphery_conflicts(e: Experiment) -> Iterator[str]:
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
