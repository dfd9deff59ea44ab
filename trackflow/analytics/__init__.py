"""Figures over clicks, sessions, touches and credits: of the site, of a domain, of a project, of a campaign (RPT-2)."""
