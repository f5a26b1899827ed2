"""Requests of scripts to other servers, through the whole engine."""
