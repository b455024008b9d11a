"""Learning in resistive energy networks: the conductances are the weights."""
