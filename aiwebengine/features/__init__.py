"""What the engine offers: one folder for each feature; none knows another."""
