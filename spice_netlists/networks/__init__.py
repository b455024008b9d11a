"""Whole networks as netlists with test benches."""
