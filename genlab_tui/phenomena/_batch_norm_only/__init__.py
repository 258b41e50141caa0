"""The parts of training batch norm alone: `phenomena/batch_norm_only.py` puts them together (no catalogue entry)."""
