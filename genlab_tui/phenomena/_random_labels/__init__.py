"""The parts of the randomisation tests: `phenomena/random_labels.py` puts them together (no catalogue entry)."""
