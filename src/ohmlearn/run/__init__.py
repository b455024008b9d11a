"""A run, from an experiment to its record.

:mod:`.course` goes through it, :mod:`.rest` tests the network again after a while, and
:mod:`.summary` says what came out.
"""

from .course import one_blas_thread, run

__all__ = ["one_blas_thread", "run"]
