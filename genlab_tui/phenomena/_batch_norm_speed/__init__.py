"""The parts of batch-norm-speed: `phenomena/batch_norm_speed.py` puts them together (no catalogue entry)."""
