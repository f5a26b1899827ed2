"""The sandbox's program, driven as the server drives it."""
