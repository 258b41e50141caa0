"""The parts of layer robustness: `phenomena/layer_robustness.py` puts them together (no catalogue entry)."""
