"""Maintenance mode: visitors of scripts are told to come back later."""
