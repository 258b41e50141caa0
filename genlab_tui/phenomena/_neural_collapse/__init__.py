"""The parts of neural collapse: `phenomena/neural_collapse.py` puts them together (no catalogue entry)."""
