"""The graph network that users train: how a crystal becomes a graph, the network, and its training."""
