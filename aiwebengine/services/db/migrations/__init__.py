"""The machinery's own chains: one module a chain, and `lists.py`, which says what lies in which database."""
