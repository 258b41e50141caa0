"""The parts of the edge of stability: `phenomena/edge_of_stability.py` puts them together (no catalogue entry)."""
