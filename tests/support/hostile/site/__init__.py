"""What a test puts on the path of the sandbox."""
