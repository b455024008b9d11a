"""The learning rules: which two states are contrasted, when, and what product they contrast.

============  ==============================================  ==================  ==========
rule          states contrasted                               local product       divided by
============  ==============================================  ==================  ==========
ep            end of the nudged phase - free state            pre x post          beta
centred-ep    end of +beta phase - end of -beta phase         pre x post          2 beta
cep           every slot of the nudged phase - slot before    pre x post          beta
vf            end of the nudged phase - free state            old pre x post      beta
cvf           every slot of the nudged phase - slot before    old pre x post      beta
============  ==============================================  ==================  ==========

"pre x post" is the change of the product of both neurons' signals, the derivative of the energy
with respect to a weight that is shared by both directions. "old pre x post" keeps the earlier
presynaptic signal and multiplies it by the change of what the postsynaptic neuron sends, for the
forward and the backward weight separately: the vector-field rule for weights that are not shared.
With *slope* that change is multiplied by rho' of the earlier state: in the prototypical dynamics
s <- rho(a) this is the rule's (dF/dW)^T ds to the letter; without it, rho' is left out.

Any one-sided rule can draw the sign of beta at random for every batch, which removes the bias of
first order in beta on average.

References
----------
B. Scellier, Y. Bengio, Front. Comput. Neurosci. 11:24 (2017), doi:10.3389/fncom.2017.00024 (ep).
M. Ernoult et al., arXiv 2005.04168 (2020) (cep, cvf and their discrete-time forms).
A. Laborieux et al., Front. Neurosci. 15:633674 (2021) (centred-ep).
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import ConfigError, nearest

__all__ = ["RULES", "Rule", "get_rule"]


class Rule(NamedTuple):
    """A learning rule as three choices; plain flags, as the kernels take them."""

    continual: bool
    post_difference: bool
    centred: bool
    slope: bool = False


RULES = {
    "ep": Rule(continual=False, post_difference=False, centred=False),
    "centred-ep": Rule(continual=False, post_difference=False, centred=True),
    "cep": Rule(continual=True, post_difference=False, centred=False),
    "vf": Rule(continual=False, post_difference=True, centred=False),
    "cvf": Rule(continual=True, post_difference=True, centred=False),
}


def get_rule(name: str, symmetric: bool) -> Rule:
    """Return the rule *name* for a network with shared (*symmetric*) or separate weights.

    Raises
    ------
    ConfigError
        If the name is unknown, or the rule's product does not fit the network: the product rules
        need one array read in both directions, the vector-field rules separate arrays.
    """
    if name not in RULES:
        raise ConfigError(nearest(name, RULES, "learning.rule"))
    rule = RULES[name]
    if rule.post_difference == symmetric:
        fitting = ", ".join(n for n, r in RULES.items() if r.post_difference != symmetric)
        have = "shared" if symmetric else "separate"
        raise ConfigError(
            f"learning.rule '{name}' does not fit network.symmetric = {str(symmetric).lower()}; "
            f"with {have} forward and backward weights use one of: {fitting}."
        )
    return rule
