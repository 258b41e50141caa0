"""What a look at a member of full-batch descent notes, column by column (no torch: claims and figures read it too)."""

from __future__ import annotations

COLUMNS = ("sharpness", "error", "loss", "accuracy", "rises")
"""`error` bounds the distance of the sharpness to an eigenvalue; `rises` counts the steps so far that made the loss
larger."""
SHARPNESS, ERROR, LOSS, ACCURACY, RISES = range(len(COLUMNS))

UNSURE = 0.01
"""A look whose error bound is a larger share of the sharpness has not converged."""
