"""The parts of simplicity bias: `phenomena/simplicity_bias.py` puts them together."""
