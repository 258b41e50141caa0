"""A terminal lab for the science of generalisation."""

__version__ = "0.1.0"
