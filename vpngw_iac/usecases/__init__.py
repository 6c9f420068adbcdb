"""What people do: the only place that joins blueprints, engine, cloud and state."""
