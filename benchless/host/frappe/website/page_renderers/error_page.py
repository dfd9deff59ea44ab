"""The page of an error while rendering another page; it names the error's title and message, never a traceback."""

from frappe.website.page_renderers.template_page import TemplatePage


class ErrorPage(TemplatePage):
	def __init__(
		self, path: str | None = None, http_status_code: int | None = None, exception: Exception | None = None
	):
		super().__init__(path="error", http_status_code=http_status_code)
		self.exception = exception

	def can_render(self) -> bool:
		return True

	def init_context(self) -> None:
		super().init_context()
		self.context.http_status_code = getattr(self.exception, "http_status_code", None) or 500
		self.context.error_title = getattr(self.exception, "title", None)
		self.context.error_message = getattr(self.exception, "message", None)
