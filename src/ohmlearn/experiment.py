"""An experiment: one TOML file that says what is learned, on what, how, and how long.

Every error is one sentence that names the file, the section and key, what was given and what is
allowed; an experiment with several errors gets them all, one a line.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from .errors import ConfigError, DeviceError
from .settings.cell import choose_access, choose_cell
from .settings.circuit import CircuitSection
from .settings.conflicts import conflicts
from .settings.device import DeviceSection
from .settings.explanations import explain
from .settings.hardware import HardwareSection
from .settings.overrides import apply_overrides
from .settings.own_presets import own_preset_spelled_out
from .settings.periphery import AccessSection, ConvertersSection, WiresSection
from .settings.resistive import HOPFIELD_ONLY, ResistiveSection, fill_in
from .settings.sections import (
    CrossbarSection,
    DataSection,
    EvaluationSection,
    LearningSection,
    NetworkSection,
    RunSection,
    Section,
    TrainingSection,
)

__all__ = ["Experiment", "load_experiment", "parse_experiment"]

DEFAULT = "the default experiment"

# Keys that name files; ``data.name`` may also be the name of a data set.
_FILES = (("data", "name"), ("circuit", "transistor_library"))

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
        if sentences := list(conflicts(self)):
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

    A relative path in ``data.name``, ``circuit.transistor_library`` or ``device.preset`` counts
    from *folder*, or from the current folder where it comes from an override. A preset of the
    user's own is replaced by its numbers, so that the experiment says everything by itself.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}.") from error
    _anchor(document, folder, _FILES)
    overridden = apply_overrides(document, overrides)
    _anchor(document, Path.cwd(), [key for key in _FILES if ".".join(key) in overridden])
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


def _anchor(
    document: dict[str, Any], folder: Path | None, keys: Sequence[tuple[str, str]]
) -> None:
    """Make relative files absolute, so that the record's experiment finds them again."""
    for section, key in keys:
        table = document.get(section)
        name = table.get(key) if isinstance(table, dict) else None
        is_file = isinstance(name, str) and (section != "data" or name.lower().endswith(".npz"))
        if folder is not None and name and is_file:
            path = folder / Path(name).expanduser()
            document[section] = {**document[section], key: str(path.absolute())}


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
