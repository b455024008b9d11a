"""Ohmlearn: memristor crossbars that learn, from algorithm to netlist."""

__version__ = "0.1.0"
