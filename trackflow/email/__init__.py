"""Campaigns by e-mail (EML-1): who gets a mail, what it holds, how it leaves, and what became of it."""
