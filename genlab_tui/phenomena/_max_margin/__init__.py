"""The parts of the drift to the largest margin: `phenomena/max_margin.py` puts them together (no catalogue entry)."""
