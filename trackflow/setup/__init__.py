"""What install and migrate do, idempotent: roles, settings, models, CRM fields and layouts, indexes."""
