"""The resistive-switching screen: one file per mechanism class."""
