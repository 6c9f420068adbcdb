"""Reports: what people and scripts read."""
