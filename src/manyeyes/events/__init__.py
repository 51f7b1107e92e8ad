"""What happened (`chain`: append-only, authenticated) and who is to be told of it (`outbox`)."""
