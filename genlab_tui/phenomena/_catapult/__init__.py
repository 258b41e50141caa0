"""The parts of the catapult: `phenomena/catapult.py` puts them together (no catalogue entry)."""
