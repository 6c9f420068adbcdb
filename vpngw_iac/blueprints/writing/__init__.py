"""From nouns to text that people like to read: Python, YAML, and a CSV of sites."""
