"""The parts of the width sweep: `phenomena/width_sweep.py` puts them together (no catalogue entry)."""
