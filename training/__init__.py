"""How a network learns: data, learning rules, update policies, the trainer, gradient checks.

A rule (:mod:`.rules`) contrasts two states of the network and asks for weight changes; a policy
(:mod:`.policies`) turns a request into programming pulses; a learner (:mod:`.ideal` with plain
weights, :mod:`.pulsed` with memristor cells) does both for a batch; the trainer (:mod:`.trainer`)
feeds it every row once per epoch, in a fresh order. :mod:`.bptt` and :mod:`.process` compare the
updates with backpropagation through time.

This room knows circuits and everything below. It does not know experiment files, records or
netlists. Importing this room does not import Numba; the modules that do are imported by name.
"""

from .datasets import Listing, describe, load
from .rules import RULES, Rule, get_rule
from .samples import Dataset

__all__ = ["RULES", "Dataset", "Listing", "Rule", "describe", "get_rule", "load"]
