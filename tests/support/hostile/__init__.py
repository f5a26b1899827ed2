"""Scripts and children that mean harm."""
