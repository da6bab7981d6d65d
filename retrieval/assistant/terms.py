"""Which words of the field, and which short words, may an answer use beside the dictionary's?"""

from __future__ import annotations

from .several import several

SHORT = several("""
    a an as at be by do go he hi if in is it its me my no of on or so to up us we am are was has had have did does done
    the and any all for not but can may its our out off own per put get got had her his him how who why let see say set
    she too use via way yes yet you ion ions gas gases air ask asks add adds act aid aim arc art bad big bit bar both
    box bulk buy case cut cuts day dry due each ease easy edge end ends ever even far few fit fits fix flat form free
    from full gain gap gaps give goes good grow hand hard held help here high hint hold hot host idea into just
    keep key kind know lack last late law lay lead led left less lie lies like line link list load log long look lot
    lots low main make many map mean met mix mode more most move much must near need new next non nor note now oft odd
    old once only open other over pair part past path peak per plan plus poor pure ran rare rate raw read real rich
    rise role room row rule run runs safe same saw say says seen self sets show side sign site size slow soft some soon
    sort spin step stop such sum sure take tell tend test text than that them then they this thus tie tied ties till
    time tin too top tops true try turn type upon use used uses vary very view want warm ways weak well went were
    what when will wish with word work worn zinc zone tag tags tip tie ore ores ash net old red
    """)
"""Of words of up to three letters only these; the longer ones here are read from the dictionary too."""

ACRONYMS = several("""
    DFT DFPT PBE PBEsol LDA GGA SCAN HSE GLLB VASP MP ICSD COD OQMD AFLOW JARVIS OPTIMADE DOI URL ID IDs API CIF
    NM FM AFM FiM VRH CHGNet MACE FE AFE RS RRAM ReRAM FeRAM FeFET FTJ PCM MIT CBM VBM DOS GW NEB MD SOC TMD TMDs
    LED LEDs CMOS MOSFET MOSFETs HEMT HEMTs UV IR NIR LIB LIBs LFP YSZ PLD MBE ALD CVD SEM TEM XPS NMR EPR SHG SAW MEMS
    NVM DRAM SRAM FRAM MRAM AI ML CPU GPU XC KS SCF vdW
    US UK IUPAC PZT BTO STO HZO LSMO PMN XRD HHI
    """)

TERMS = several("""
    ab initio abinitio adatom adlayer affine albite allotrope allotropic alloyed alumina aluminate aluminium ambipolar
    amorphization anatase anharmonic anion anionic anisotropic anisotropy anneal annealed annealing anodic anomalous
    antibonding antiferrodistortive antiferroelectric antiferroelectricity antiferromagnet antiferromagnetic
    antiferromagnetically antiferromagnetism antifluorite antimonide antimony antiparallel antiperovskite antiphase
    antisite arsenide atomistic aurivillius autoclave axial azimuthal ball-milled baddeleyite bandgap bandgaps bandwidth
    barite basal benchmark benchmarked berlinite bilayer bimetallic birefringence birefringent bismuthate bixbyite
    blende boracite borate boride borohydride bravais brookite brownmillerite bromide brucite buckled bulklike calcine
    calcined calcination calorimetry carbide carbonate catalogue cathode cathodic cation cationic caveat caveats
    centrosymmetric centrosymmetry ceramics ceria chalcocite chalcogen chalcogenide chalcogenides chalcopyrite
    charge-neutral chemisorption chemist chemistries chloride chromate chromite cinnabar clathrate cobaltate cobaltite
    coercive coercivity cofired collinear columbite commensurate compressibility computationally conductance conducting
    conductive conductivity congruent coplanar coprecipitation corundum coulombic counterion covalency covalent
    cristobalite cryogenic crystallise crystallised crystallises crystallising crystallize crystallized crystallizes
    crystallizing crystallite crystallographic crystallographically crystallography cuprate cuprite database databases
    dataset datasets decompose decomposes decomposed decompositional degeneracy degenerate delafossite delithiated
    delithiation densify densification dichalcogenide dichalcogenides dielectric dielectrically dielectrics diffraction
    diffractogram diffusivity dimensionless diopside dioxide dipolar dipole dipoles dislocation dispersion displacive
    distorted distortion disulfide ditelluride diselenide dopant dopants doped doping downselect ductile ductility
    eigenvalue elastically electride electrocatalyst electrochemical electrode electrodes electrolyte electrolytes
    electron electronegative electronegativity electronic electronically electropositive electrostatic endmember
    endothermic enthalpic enthalpy enthalpies entropic epitaxial epitaxy eutectic exchange-correlation exciton excitonic
    exfoliable exfoliate exfoliated exothermic experimentalist extrinsic fcc bcc hcp feldspar fermi ferrielectric
    ferrimagnet ferrimagnetic ferrimagnetism ferrite ferroelastic ferroelectric ferroelectrically ferroelectricity
    ferroelectrics ferroic ferromagnet ferromagnetic ferromagnetically ferromagnetism filament filamentary fluoride
    fluoridic fluorite formability fourier functional functionals gallate garnet garnets generalised generalized
    germanate germanide germanium gibbs glassy goldschmidt grained graphene graphite graphitic ground-state hafnate
    hafnates hafnia hafnium halide halides halite harmonic heavy-fermion hematite hermitian heterojunction
    heterostructure heterostructures heterovalent heusler hexaferrite hexagonally hexafluoride hexaboride hill hollandite
    honeycomb humidity hybridisation hybridise hybridization hybridize hydrate hydrated hydride hydrides hydrostatic
    hydrothermal hydrothermally hydroxide hydroxides hysteresis hysteretic illmenite ilmenite immiscible imprint
    incommensurate incompressibility incompressible incongruent indenter inequivalent inertness infrared inhomogeneous
    inorganic insulating insulator insulators intercalate intercalated intercalation interfacial interlayer intermediates
    intermetallic intermetallics interstitial interstitials intralayer inversion iodate iodide ionic ionicity ionization
    isoelectronic isolobal isomorphic isomorphous isostructural isothermal isotope isotropic isotypic isovalent
    itinerant jahn teller janus kagome kaolinite kesterite kinetically kinetics knowledgeable kohn kramers labyrinthine
    lamellar lanthanide lanthanides lanthanoid lattice lattices layered leakage leucite ligand ligands lithiated
    lithiation lithium lonsdaleite lookup lorentz luminescence luminescent machine-learned macroscopic magnesia magnesium
    magnetically magnetism magnetisation magnetite magnetization magnetocrystalline magnetoelectric magnetoresistance
    manganate manganite manganites marcasite martensite martensitic maxwell mechanochemical memristive memristor memristors
    mesoporous metadata metal-insulator metallic metallicity metalloid metals metastability metastable mica
    microstructure microwave miller millerite minima miscibility miscible modulus moduli molybdate molybdenite monolayer
    monolayers monoxide morphotropic mott mullite multiferroic multiferroics nanocrystal nanocrystalline
    nanoparticle nanoparticles nanosheet nanoscale nasicon neel neodymium neumann neuromorphic nickelate nickelates
    nickeline niobate niobates nitrate nitrates nitridation nitride nitrides noncentrosymmetric noncollinear
    nonlinear nonlinearity nonmagnetic nonmetal nonmetallic nonpolar nonstoichiometric nonstoichiometry nontoxic
    nonvolatile norm-conserving nucleate nucleation octahedra octahedral octahedron olivine olivines optical optically optics
    optoelectronic optoelectronics orbital orbitals orthoferrite orthophosphate orthorhombically orthosilicate
    ostwald overestimate overestimated overestimates overestimating overestimation oxalate oxalates oxidation oxide
    oxides oxidic oxidise oxidised oxidize oxidized oxidizing oxyfluoride oxyhalide oxyhydroxide oxynitride oxysulfide
    paraelectric paramagnet paramagnetic paramagnetism parent-phase pauli pelleted pelletise pelletised pelletize
    pelletized pentoxide periclase periodicity permittivity permittivities peroxide perovskite perovskites
    perovskite-type petrological phonon phonons phosphate phosphates phosphide phosphor phosphorene photocatalyst
    photocatalysis photocatalytic photoluminescence photovoltaic photovoltaics physicist piezoelectric piezoelectrically
    piezoelectricity piezoelectrics plasmon platelike plumbate pnictide pnictides pnictogen poisson polar polarisability
    polarisable polarisation polariser polarity polarizability polarization polarizations polaron polaronic
    polyanion polyanionic polycrystal polycrystalline polyhedra polyhedral polyhedron polymorph polymorphic
    polymorphism polymorphs polytype polytypes polytypic potentials powders predictive preprint processable prototypical
    pseudocubic pseudogap pseudopotential pseudopotentials pyrite pyrochlore pyrochlores pyroelectric pyroelectricity
    pyrolysis pyroxene quartz quasiparticle quench quenched quenching query queried queries radii reactant reactants
    reactive reagent reagents reconstructive recrystallise recrystallize redox refinement refractive refractory
    relaxor remanence remanent renormalized resistive resistively resistivity resistor retrievable retrieved reuss
    rhenium rhodochrosite rocksalt ruddlesden popper ruddlesden-popper ruthenate rutile rutiles rutile-type sapphire
    scandate scheelite schottky screened-exchange screener seebeck selenate selenide selenides semiconducting
    semiconduction semiconductor semiconductors semilocal semimetal semimetallic semimetals shannon siderite silica
    silicate silicates silicide silicides silicon simulated sinter sintered sintering skutterudite slater smectite
    smithsonite smoothly sodalite sol-gel solgel solid-state solubility solvent solvothermal spectroscopic spectroscopy
    sphalerite spinel spinels spin-orbit spin-polarised spin-polarized spintronic spintronics spodumene spontaneous
    spontaneously stannate stannite stannous stibnite stoichiometric stoichiometries stoichiometry strontia structure-type
    structurally structured sublattice sublattices substrate substrates sulfate sulfates sulfide sulfides sulfur sulphide
    sulphides sulphur superconducting superconductivity superconductor superconductors superexchange superlattice
    superoxide supertetragonal susceptibility switchability switchable synaptic synapse synapses synchrotron synthesise
    synthesised synthesises synthesize synthesized synthesizability synthesizable synthesizing tantalate tantalates
    telluride tellurides tellurite tetrachalcogenide tetradymite tetrafluoride tetrahedra tetrahedral
    tetrahedrally tetrahedron tetragonality thermochemical thermochemistry thermodynamic thermodynamically thermodynamics
    thermoelectric thermoelectrics thermogravimetric thortveitite titanate titanates titania titanite tolerance-factor
    topological topologically topotactic toxicity transition-metal tribological tridymite tunability tunable tungstate
    tungstates tungsten tunnel tunnelling uncorrected underbinds underestimate underestimated underestimates
    underestimating underestimation uniaxial unstrained unoxidised unrelaxed untabulated urbach vacancies vacancy vanadate
    vanadates vanadia vanadium vegard vibrational viable volatility voigt volumetric wannier weathering wettability
    willemite wolframite wollastonite workfunction wurtzite wurtzites wustite wyckoff xenotime yttria zeolite zeolitic
    zircon zirconate zirconates zirconia zintl antiferro ferri mol-free noncubic nonzero oxo eg tg pseudo subcell supercell
    stabilise stabilised stabilises stabilising stabilize stabilized stabilizes stabilizing stabilisation
    stabilization destabilise destabilize destabilized characterised characterized website workflow workflows dataset
    coupled coupling couplings paired pairing doubly singly halfway duplicate
    amphoteric citrate crystallographer crystallographers cupric cuprous dihydrogen distortive electro ethanol gel
    glovebox hygroscopic isopropanol magnon magnons metagga nonradiative onsite radiative reflectivity scintillator
    scintillators skyrmion skyrmions sol stannic substitutional sylvite thermistor thermistors titanyl uranyl vanadyl
    varistor varistors zincblende geometric adsorption compositional irreducible quadrupole momenta ellipsoid gravimetric
    dimensionality wavefunction wavefunctions eigenvectors hamiltonian translational isomorphism cutoff convex-hull
    triclinic monoclinic orthorhombic tetragonal trigonal rhombohedral hexagonal cubic pseudocubic tetragonally
    ranked unranked email online offline cutoff cutoffs tabulated tabulate screenings shortlist shortlisted
    caesium cesium aluminum mineralogical structural prerequisite nonlinearly anisotropically reproducibly
    materials-project tradeoff tradeoffs whereas thereby therein thereof thereafter herein albeit namely notably
    """)

NAMES = several(
    """
    Anderson Arrhenius Avogadro Bader Bardeen Berry Bethe Bloch Boltzmann Born Bragg Bravais Brillouin Burke Burstein
    Cauchy Chevrel Clausius Cooper Coulomb Curie Debye Devonshire Dion Dirac Dresselhaus Drude Einstein Ernzerhof Euler
    Faraday Fermi Fock Fourier Frenkel Gibbs Ginzburg Goldschmidt Green Grimme Gruneisen Hall Hartree Helmholtz Hermann
    Heusler Heyd Hill Hooke Hubbard Hund Jacobson Jahn Kohn Kramers Kronig Landau Laue Laves Lorentz Madelung Mauguin
    Miller Mohs Moss Mossotti Mott Mulliken Neel Nernst Ohm Onsager Pauling Peierls Peltier Perdew Planck Poisson Poole
    Popper Pourbaix Pugh Raman Rashba Reuss Rietveld Ruddlesden Salpeter Scherrer Schottky Scuseria Seebeck Sham Shannon
    Sommerfeld Stark Tauc Teller Tesla Vegard Verwey Vickers Voigt Wannier Weiss Weyl Wyckoff Young Zeeman Zener Zintl
    """
)
"""People after whom the field has named something, spelled with plain letters."""

FALSE_FRIENDS = several("ate tree trees fore sicks won")
"""Words of the dictionary that sound like numbers."""

PREFIXES = several(
    "anti auto bi centro co counter de dis electro en equi ferro hetero homo hyper in inter intra iso macro magneto "
    "meso meta micro mis multi nano non opto out over para photo piezo poly post pre pseudo pyro quasi re self semi "
    "sub super supra thermo trans ultra un under"
)

SCIENTIFIC_ENDINGS = several(
    "ability ibility aceous ation ations ization isation ically ically icity ides ide ite ites ates ate ous ousness ium "
    "onium enic etic itic otic ology ologies ography ometry oscopy lysis lytic genic morphic tropic phase phases "
    "electric magnetic metallic chemical crystalline structure structures conductor conductors conductive valence "
)
