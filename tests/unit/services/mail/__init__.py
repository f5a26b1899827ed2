"""Tests of aiwebengine.services.mail."""
