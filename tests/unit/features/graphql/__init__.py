"""Tests of `aiwebengine.features.graphql`."""
