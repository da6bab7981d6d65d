"""Properties of a crystal from its geometry, by one graph network that knows its own error."""
