"""Point defects: supercells that keep their images apart, vacancies, and how they move."""
