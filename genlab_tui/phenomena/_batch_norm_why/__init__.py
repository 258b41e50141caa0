"""The parts of why batch norm helps: `phenomena/batch_norm_why.py` puts them together (no catalogue entry)."""
