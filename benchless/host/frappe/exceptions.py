"""Frappe's exception classes, with the HTTP status that each is answered with.

Names, families and codes follow Frappe v15; a handler reads `http_status_code` of what was raised.
"""

from werkzeug.exceptions import NotFound


class SiteNotSpecifiedError(Exception):
	def __init__(self, *args: object, **kwargs: object) -> None:
		self.message = "Please specify --site sitename"
		super().__init__(self.message)


class ValidationError(Exception):
	http_status_code = 417


class FrappeTypeError(TypeError):
	http_status_code = 417


class AuthenticationError(Exception):
	http_status_code = 401


class SessionExpired(Exception):
	http_status_code = 401


class PermissionError(Exception):
	http_status_code = 403


class DoesNotExistError(ValidationError):
	http_status_code = 404


class PageDoesNotExistError(ValidationError):
	http_status_code = 404


class NameError(Exception):
	http_status_code = 409


class OutgoingEmailError(Exception):
	http_status_code = 501


class SessionStopped(Exception):
	http_status_code = 503


class UnsupportedMediaType(Exception):
	http_status_code = 415


class RequestToken(Exception):
	http_status_code = 200


class Redirect(Exception):
	def __init__(self, http_status_code: int = 301) -> None:
		self.http_status_code = http_status_code


class CSRFTokenError(Exception):
	http_status_code = 400


class TooManyRequestsError(Exception):
	http_status_code = 429


class ImproperDBConfigurationError(Exception):
	def __init__(self, reason: str, msg: str | None = None) -> None:
		super().__init__(msg or "The database is not properly configured")
		self.reason = reason


class DuplicateEntryError(NameError):
	pass


class InReadOnlyMode(ValidationError):
	http_status_code = 503


class SessionBootFailed(ValidationError):
	http_status_code = 500


class RateLimitExceededError(ValidationError):
	http_status_code = 429


class LinkExpired(ValidationError):
	http_status_code = 410
	title = "Link Expired"
	message = "The link has expired"


class InvalidKeyError(ValidationError):
	http_status_code = 401
	title = "Invalid Key"
	message = "The document key is invalid"


class IncorrectSitePath(NotFound):
	pass


class InvalidAuthorizationHeader(CSRFTokenError):
	pass


class InvalidAuthorizationPrefix(CSRFTokenError):
	pass


class InvalidAuthorizationToken(CSRFTokenError):
	pass


class LinkValidationError(ValidationError):
	pass


class CancelledLinkError(LinkValidationError):
	pass


class ExecutableNotFound(FileNotFoundError):
	pass


class InvalidRoundingMethod(FileNotFoundError):
	pass


class CommandFailedError(Exception):
	def __init__(self, message: str, out: str, err: str) -> None:
		super().__init__(message)
		self.out = out
		self.err = err


def _family(parent: type[Exception], names: str) -> None:
	"""Define classes that differ from their parent in name only."""
	for name in names.split():
		globals()[name] = type(name, (parent,), {"__module__": __name__})


_family(
	ValidationError,
	"AppNotInstalledError AttachmentLimitReached CannotChangeConstantError CharacterLengthExceededError "
	"CircularLinkingError DataError DataTooLongException DocstatusTransitionError DocumentAlreadyRestored "
	"DocumentLockedError EmptyTableError ImplicitCommitError IncompatibleApp InvalidColumnName "
	"InvalidDatabaseFile InvalidDates InvalidEmailAddressError InvalidNameError InvalidPhoneNumberError "
	"InvalidSignatureError InvalidStatusError LinkExistsError MandatoryError MappingMismatchError "
	"NonNegativeError PrintFormatError TemplateNotFoundError TimestampMismatchError UniqueValidationError "
	"UpdateAfterSubmitError",
)
_family(
	Exception,
	"FileAlreadyAttachedException InvalidRemoteException QueryDeadlockError QueryTimeoutError "
	"RetryBackgroundJobError SecurityException TooManyWritesError UnknownDomainError UrlSchemeNotSupported",
)

__all__ = [name for name, value in list(globals().items()) if isinstance(value, type) and name != "NotFound"]
