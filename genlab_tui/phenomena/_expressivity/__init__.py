"""The parts of expressivity: `phenomena/expressivity.py` puts them together (no catalogue entry)."""
