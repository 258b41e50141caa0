"""Textual screens of the lab: launch, watch, compare and judge."""
