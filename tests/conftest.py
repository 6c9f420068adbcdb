"""Hypothesis without deadlines: two busy cores are no bug."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.summary"]

settings.register_profile("vpngw", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vpngw")
