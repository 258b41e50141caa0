"""Saddle points: the parts of the phenomenon."""
