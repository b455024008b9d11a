"""How a resistive energy network learns: its conductances are its weights.

A :class:`~.learner.ResistiveLearner` is made of an encoding of data as node voltages
(:mod:`.encoding`), a read-out with its loss and nudge (:mod:`.readout`), the physics that settles
the nodes (:mod:`.physics`), and the synapses that serve requests: plain numbers
(:mod:`.conductances`) or memristor cells (:mod:`.cells`).
"""
