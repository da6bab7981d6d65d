"""The graph network that tells properties: how a crystal becomes a graph, the network, and its training."""
