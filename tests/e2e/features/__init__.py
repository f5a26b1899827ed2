"""What features offer, one after the other."""
