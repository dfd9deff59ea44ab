"""The way of a click: facts, decision, response, record."""
