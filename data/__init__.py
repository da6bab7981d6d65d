"""Tables, presets and weights that ship with the project; each with a card that says how it was made."""
