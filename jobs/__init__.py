"""Processes: the launcher, the drain, the keeper and the worker of a run."""
