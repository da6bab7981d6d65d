"""Properties are added to a candidate: potentials, relaxation and the convex hull.

The tables name import paths, so that listing the names loads nothing heavy.
"""

POTENTIALS = {
    "chgnet": "hysteron.predictors.chgnet.potential:CHGNetPotential",
}
RELAXERS = {
    "batched": "hysteron.predictors.relaxation.relaxer:BatchedRelaxer",
}
HULLS = {
    "table": "hysteron.predictors.hull.table:ConvexHull",
}

PREDICTORS = {
    "chgnet": "hysteron.predictors.energies:Energies",
}
