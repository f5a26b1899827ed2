"""Tests of `aiwebengine.graphql`."""
