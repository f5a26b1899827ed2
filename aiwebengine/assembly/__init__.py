"""How the floors of one engine are put together."""
