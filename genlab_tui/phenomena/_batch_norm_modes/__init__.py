"""The parts of batch norm's modes: `phenomena/batch_norm_modes.py` puts them together (no catalogue entry)."""
