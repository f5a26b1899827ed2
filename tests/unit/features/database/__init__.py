"""Tests of tables of scripts."""
