"""Test-time scaling: what methods of several samples can gain, in theory and in recordings."""
