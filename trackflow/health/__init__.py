"""How the site is: figures for whoever looks after it, and word to its managers when a check fails (RPT-3).

The checks themselves are those of `doctor`; what is measured here they and the page of health share.
"""
