"""Tests of the simulator, most of them through the real SDK."""
