"""New structures are proposed: what could exist beside what is known.

One file, one idea; each class here obeys `core.contracts.Generator` and names its settings in
`config_model`. Outside packages add theirs under the entry point group `hysteron.generators`.
"""

GENERATORS = {
    "substitution": "hysteron.generators.substitution:Substitution",
    "tokens": "hysteron.generators.tokens.generator:Tokens",
    "diffusion": "hysteron.generators.diffusion.generator:Diffusion",
}
