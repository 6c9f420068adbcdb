"""The way out: what a blueprint compiles to, as templates that Azure deploys without us.

Knows ARM's template language, and of our resources what every resource tells of itself. Reads no cloud and no secret.
"""
