"""Candidates leave: DFT inputs, CIF, tables and the report.

`FORMATS` names import paths, so that listing the formats loads nothing heavy.
"""

FORMATS = {
    "vasp": "hysteron.export.vasp:VaspWriter",
    "espresso": "hysteron.export.espresso:EspressoWriter",
    "gpaw": "hysteron.export.gpaw:GpawWriter",
    "atomate2": "hysteron.export.atomate2:Atomate2Writer",
    "cif": "hysteron.export.cif:CifFileWriter",
}
FORMATS_GROUP = "hysteron.formats"
"""Of entry points, through which other packages add formats."""
