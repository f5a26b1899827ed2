"""Services without processes."""
