"""People and how they sign in: accounts with a password or a passkey, and receipts for those who stay anonymous."""
