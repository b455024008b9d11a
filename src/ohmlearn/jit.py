"""The one place that configures Numba.

Compiled kernels are cached per user in a folder named by a hash of every source file that
takes part in a kernel, those of the user's own devices included. Numba's own cache stamps only
the file of the outermost function, so it would return old physics after an edit to a device model,
and it fails on a read-only install.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import numba
import platformdirs
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

from .user_folder import user_sources

__all__ = ["STRICT", "inlined", "inner", "inner_part", "kernel", "loop", "spliced"]

F = TypeVar("F", bound=Callable[..., Any])

_settings: Any = config  # Numba builds these attributes at run time

_ROOMS = ("devices", "crossbar", "circuits", "training")


def _sources(folder: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the Python files of a folder and of those in it, by their names from there."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield prefix + entry.name, entry


def _fingerprint() -> str:
    """Hash the kernel sources and the versions that decide what a kernel compiles to.

    The user's own device models are kernel sources too.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    root = files("ohmlearn")
    for room in _ROOMS:
        for name, file in sorted(_sources(root / room)):
            digest.update(name.encode())
            digest.update(file.read_bytes())
    digest.update((root / "jit.py").read_bytes())
    for path in user_sources():
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    """Return a writable cache folder, or '' where there is none (then nothing is cached)."""
    if _settings.CACHE_DIR:
        return _settings.CACHE_DIR
    folder = os.path.join(platformdirs.user_cache_dir("ohmlearn"), "kernels", _fingerprint())
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return ""
    return folder if os.access(folder, os.W_OK) else ""


_CACHE = _cache_folder()


class _WideLower(Lower):
    """Ask LLVM for vectors of 512 bits; on processors without them this changes nothing.

    For processors that once slowed down under wide vectors LLVM settles for 256 bits by itself.
    llvmlite's own check of attribute names knows only flags, hence the plain ``set.add``.
    """

    def pre_lower(self):
        set.add(self.function.attributes, '"prefer-vector-width"="512"')
        super().pre_lower()


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):
    _name = "wide_native_lowering"

    @property
    def lowering_class(self):
        return _WideLower


class _WideCompiler(CompilerBase):
    def define_pipelines(self):
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_WideLowering, NativeLowering)
        passes.passes = [p for p in passes.passes if p[0] is not NativeLowering]
        passes.finalize()
        return [passes]


class _KeyedCache(FunctionCache):
    """Numba's cache with an index of plain text, that hears of the source of every parameter type.

    Numba's own keys hold the types themselves. An index with the type of a script's own device
    could not be read by any other program, and an edit of that script would go unnoticed.
    """

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        _, machine, code = super()._index_key(sig, codegen)
        types = sorted({_described(t) for t in _named_tuples(getattr(sig, "args", sig))})
        return str(sig), tuple(types), machine, code


def _named_tuples(types: Iterable[Any]) -> Iterator[type]:
    """Yield the NamedTuple classes in *types*, at any depth."""
    for t in types:
        if hasattr(t, "instance_class"):
            yield t.instance_class
        yield from _named_tuples(getattr(t, "types", ()))


def _described(cls: type) -> str:
    """Return module, name and a hash of the source of *cls*; without a source, this process."""
    path = getattr(sys.modules.get(cls.__module__), "__file__", None)
    try:
        content = Path(str(path)).read_bytes()
    except OSError:
        content = _THIS_PROCESS
    return f"{cls.__module__}.{cls.__qualname__} {hashlib.sha256(content).hexdigest()}"


_THIS_PROCESS = os.urandom(16)

STRICT: dict[str, Any] = {"fastmath": False}
"""Options of compiled code that is IEEE arithmetic whoever calls it.

Numba would let a function without this option take over that of the caller that first compiles
it, so that bits would depend on what has been compiled before.
"""

_SUMS = {"reassoc", "contract", "nsz"}
_BARE: dict[str, Any] = {"no_cfunc_wrapper": True}  # for calls from C, a tenth of compilation


def _compile(**options: Any) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        saved = _settings.CACHE_DIR
        _settings.CACHE_DIR = _CACHE
        try:
            jit = numba.njit(
                cache=bool(_CACHE),
                error_model="numpy",
                nogil=True,
                pipeline_class=_WideCompiler,
                **(STRICT | _BARE | options),
            )
            compiled: Any = jit(function)
            if _CACHE:
                compiled._cache = _KeyedCache(function)
            return compiled
        finally:
            _settings.CACHE_DIR = saved

    return decorate


def kernel(function: F) -> F:
    """Compile *function* with IEEE arithmetic: no reordering, NaN and infinity kept."""
    return _compile()(function)


def inlined(function: F) -> F:
    """Compile like :func:`kernel`, always inlined into the caller.

    LLVM leaves a function of some length as a call: a loop with a call does not vectorise, and a
    call that passes a bank of arrays by value copies some hundred words.
    """
    return _compile(forceinline=True)(function)


def spliced(function: F) -> F:
    """Compile like :func:`kernel`, its statements copied into every caller before compilation.

    LLVM optimises a function once more in each of its callers, and theirs: a short one that only
    chooses between long ones would cost seconds as a level of its own.
    """
    return _compile(inline="always")(function)


def loop(function: F) -> F:
    """Compile element-wise arithmetic: products and sums fuse (``contract``), nothing reorders."""
    return _compile(fastmath={"contract"})(function)


def inner(function: F) -> F:
    """Compile a loop of sums and products so that it vectorises.

    Sums may be reordered and products fused (LLVM ``reassoc``, ``contract``, ``nsz``); NaN and
    infinity keep their meaning, and the order is fixed when the kernel is compiled, so results
    repeat to the bit on one machine.
    """
    return _compile(fastmath=_SUMS)(function)


def inner_part(function: F) -> F:
    """Compile like :func:`inner`, always inlined into the caller.

    A call with some arrays takes longer than a row of a hundred products.
    """
    return _compile(fastmath=_SUMS, forceinline=True)(function)
