"""OC20 as it lies on disk: `s2ef`, `trajectories` (compressed text), `lmdb` (pickled graphs), `mapping`."""
