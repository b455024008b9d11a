"""The sections of an experiment file, and how a wrong one is explained."""
