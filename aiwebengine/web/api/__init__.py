"""The management API, one Klein file for each resource."""
