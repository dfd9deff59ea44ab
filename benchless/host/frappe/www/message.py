"""The page of frappe.respond_as_web_page; never cached, its content is of one request."""

no_cache = 1
