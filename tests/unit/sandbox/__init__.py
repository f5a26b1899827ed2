"""Tests of the sandbox's own code, without a process or an engine."""
