"""What netlists are made of: device models, cells, tiles with wires, programming pulses."""
