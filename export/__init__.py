"""Candidates leave: DFT inputs, CIF, tables and the report.

`FORMATS` names import paths, so that listing the formats loads nothing heavy.
"""

FORMATS = {
    "vasp": "hysteron.export.vasp:VaspWriter",
    "espresso": "hysteron.export.espresso:EspressoWriter",
    "cif": "hysteron.export.cif:CifFileWriter",
}
