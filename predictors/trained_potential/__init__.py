"""A potential that users train on frames of OC20, OMat24 or their own: its network, data, training and file."""
