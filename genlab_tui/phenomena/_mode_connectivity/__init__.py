"""The parts of mode connectivity: `phenomena/mode_connectivity.py` puts them together (no catalogue entry)."""
