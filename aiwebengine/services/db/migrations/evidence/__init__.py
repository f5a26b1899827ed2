"""Steps of the evidence database."""
