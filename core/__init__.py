"""The ground every stage stands on: the candidate, its properties, contracts, settings, errors."""
