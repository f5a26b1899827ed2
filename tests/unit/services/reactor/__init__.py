"""The stores that servers share."""
