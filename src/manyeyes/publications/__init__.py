"""What leaves the house: credit, advisories, the hall of fame and the public figures."""
