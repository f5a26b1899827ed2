"""What scripts may register."""
