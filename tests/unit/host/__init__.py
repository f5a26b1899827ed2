"""What scripts may ask the server for."""
