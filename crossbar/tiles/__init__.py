"""Layers split into tiles with wires, DACs and ADCs, read without any training."""
