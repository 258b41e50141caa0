"""The parts of universal approximation: `phenomena/universal_approximation.py` puts them together."""
