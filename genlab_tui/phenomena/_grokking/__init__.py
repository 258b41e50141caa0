"""The parts of grokking: `phenomena/grokking.py` puts them together."""
