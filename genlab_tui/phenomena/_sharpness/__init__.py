"""The parts of sharp and flat minima: `phenomena/sharpness.py` puts them together (no catalogue entry)."""
