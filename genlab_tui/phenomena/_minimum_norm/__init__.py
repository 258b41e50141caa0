"""Minimum norm: fields, claims and figures."""
