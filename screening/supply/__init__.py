"""The supply screen: can a material be bought, handled and brought into a fab?"""
