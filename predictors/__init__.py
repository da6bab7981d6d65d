"""Properties are added to a candidate: potentials, relaxation and the convex hull.

The tables name import paths, so that listing the names loads nothing heavy.
"""

POTENTIALS = {
    "chgnet": "hysteron.predictors.chgnet.potential:CHGNetPotential",
    "fairchem": "hysteron.predictors.potentials.fairchem:fairchem",
    "mace": "hysteron.predictors.potentials.mace:mace",
    "matgl": "hysteron.predictors.potentials.matgl:matgl",
    "mattersim": "hysteron.predictors.potentials.mattersim:mattersim",
    "orb": "hysteron.predictors.potentials.orb:orb",
    "sevennet": "hysteron.predictors.potentials.sevennet:sevennet",
    "trained": "hysteron.predictors.potentials.trained:TrainedPotential",
}
"""Families; their models are in `predictors.potentials.families`, loading is `predictors.potentials.loading`."""
RELAXERS = {
    "batched": "hysteron.predictors.relaxation.relaxer:BatchedRelaxer",
}
HULLS = {
    "table": "hysteron.predictors.hull.table:ConvexHull",
}

PREDICTORS = {
    "chgnet": "hysteron.predictors.energies:Energies",
    "properties": "hysteron.predictors.properties.predictor:Properties",
}
