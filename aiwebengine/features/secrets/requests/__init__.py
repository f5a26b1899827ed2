"""Secrets in requests that scripts send to other servers."""
