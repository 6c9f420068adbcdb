"""All resources of a file as one network, in a network engineer's words; rules ask it."""
