"""Parts of the loss landscape: its fields, claims, numbers and figures."""
