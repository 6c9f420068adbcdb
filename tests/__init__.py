"""Tests. A package, so that folders may share names and helpers."""
