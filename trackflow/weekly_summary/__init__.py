"""The mail of Monday morning: the week's figures beside those of the week before (RPT-4).

`sections` says what is in it, each a function of what was gathered; `layout` makes HTML and text of it; `send` gathers, queues, and
remembers for which week it did.
"""
