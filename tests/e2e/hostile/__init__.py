"""Scripts and sources that mean harm, and what is left when things die."""
