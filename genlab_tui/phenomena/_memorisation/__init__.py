"""The parts of memorisation: `phenomena/memorisation.py` puts them together (no catalogue entry)."""
