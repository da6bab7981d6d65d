"""CHGNet: graph, network and potential."""
