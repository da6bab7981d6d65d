"""Reading foreign pickles without running them: `machine` (opcodes), `arrays` (numpy, torch, plain values)."""
