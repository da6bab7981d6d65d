"""Metal, insulator, or a metal-insulator transition driven by temperature, from the composition of a crystal."""
