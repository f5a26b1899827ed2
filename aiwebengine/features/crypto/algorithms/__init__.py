"""The algorithms of the standard; `algorithm.py` has what they have in common."""
