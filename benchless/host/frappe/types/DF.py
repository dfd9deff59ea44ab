"""Names of field types for annotations in controllers (`name: DF.Data`). They carry no behaviour."""

from datetime import date, datetime, time, timedelta
from typing import Any, Literal

Data = str
Text = str
SmallText = str
LongText = str
TextEditor = str
MarkdownEditor = str
HTMLEditor = str
Code = str
Color = str
Barcode = str
Icon = str
Phone = str
Autocomplete = str
ReadOnly = str
Password = str
Link = str
DynamicLink = str
Attach = str
AttachImage = str
Signature = str
Geolocation = str
Select = str
Check = int
Int = int
Currency = float
Float = float
Percent = float
Rating = float
Duration = int
Date = str | date
Datetime = str | datetime
Time = str | time | timedelta
JSON = str | dict | list
Table = list
TableMultiSelect = list

__all__ = [name for name in dir() if name[:1].isupper()]
