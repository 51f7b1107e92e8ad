"""Programs: what may be tested, under which rules, on which targets, and who works here."""
