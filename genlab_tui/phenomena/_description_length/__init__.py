"""The parts of the description length: `phenomena/description_length.py` puts them together (no catalogue entry)."""
