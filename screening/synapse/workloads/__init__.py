"""Tasks that run on an assumed device: each takes any `DeviceParameters` and gives an accuracy beside its ideal.

The table names import paths, so that listing the names loads nothing.
"""

WORKLOADS = {
    "inference": "hysteron.screening.synapse.workloads.digits:Inference",
    "backpropagation": "hysteron.screening.synapse.workloads.on_device:Backpropagation",
    "equilibrium-propagation": "hysteron.screening.synapse.workloads.equilibrium:EquilibriumPropagation",
    "liquid": "hysteron.screening.synapse.workloads.liquid:Liquid",
    "recall": "hysteron.screening.synapse.workloads.recall:Recall",
}
