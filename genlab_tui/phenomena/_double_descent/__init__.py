"""The modes of double descent, a module each: `phenomena/double_descent.py` puts them together (no catalogue entry)."""
