"""What makes real cells differ from their model: one switch each.

:mod:`.switches` holds all effects of a cell and reads them from an experiment; the laws stand in
:mod:`.retention`, :mod:`.fluctuations` and :mod:`.wear`; :mod:`.ledger` lists them in the order in
which they apply. No numbers are drawn here, see :mod:`..variability`.
"""

from .switches import CycleToCycle, Effects, Stuck, merge

__all__ = ["CycleToCycle", "Effects", "Stuck", "merge"]
