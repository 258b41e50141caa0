"""Panels that the screens are made of."""
