"""The people of the demo story and the ways they took. Plain data; nobody here exists."""

from dataclasses import dataclass

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = (
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/17.5 Mobile/15E148 Safari/604.1"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

# Where the story takes place if no demo website is named: a host that exists nowhere.
SHOP = "https://demo-shop.example"


@dataclass(frozen=True, slots=True)
class Visit:
	"""A visit to the demo shop `hours_ago` (up to 23: a collector believes no older clock)."""

	hours_ago: float
	path: str = "/"
	referrer: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
	"""What was spent on a campaign on each of the last days."""

	platform: str
	campaign: str
	spend: int
	impressions: int = 0
	clicks: int = 0


@dataclass(frozen=True, slots=True)
class Person:
	"""Somebody who visits, clicks links (by short code), and maybe becomes a lead and a deal of `deal_value`."""

	first_name: str
	email: str
	agent: str
	visits: tuple[Visit, ...] = ()
	clicks: tuple[str, ...] = ()
	becomes_lead: bool = True
	deal_value: int = 0
	deal_is_lost: bool = False


PEOPLE = (
	Person(
		"Demo Ada",
		"ada@demo-shop.example",
		CHROME,
		visits=(
			Visit(22, "/?utm_source=google&utm_medium=cpc&utm_campaign=demo-brand&gclid=demo-gclid-1"),
			Visit(9, "/products", referrer="https://www.bing.com/"),
		),
		clicks=("demo-mail",),
		deal_value=1200,
	),
	Person(
		"Demo Ben",
		"ben@demo-shop.example",
		IPHONE,
		visits=(
			Visit(20, "/products"),
			Visit(14, "/?utm_source=instagram&utm_medium=social&utm_campaign=demo-reels"),
		),
		clicks=("demo-poster?qr=1", "demo-mail"),
		deal_value=1000,
	),
	Person(
		"Demo Cleo",
		"cleo@demo-shop.example",
		FIREFOX,
		clicks=("demo-mail",),
		deal_value=700,
		deal_is_lost=True,
	),
	Person("Demo Dan", "dan@demo-shop.example", CHROME, visits=(Visit(3, "/"),)),
	Person("Demo Eve", "eve@demo-shop.example", IPHONE, clicks=("demo-poster",), becomes_lead=False),
)

# Long enough that no campaign counts as a young one, whose waste is not judged yet.
COST_DAYS = 10
COSTS = (
	Cost("Google Ads", "demo-brand", 60, impressions=4000, clicks=30),
	Cost("Mailing tool", "Demo Newsletter", 8, impressions=900),
	Cost("Printer", "Demo Poster", 12),
)
