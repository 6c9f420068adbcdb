"""Steps of pipelines, as processes and against a GitHub on this machine."""
