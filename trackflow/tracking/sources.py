"""Known sources of visits: search engines, social networks, video and shopping sites, AI assistants.

Plain data and its look-up by host or by the name that marketers write into utm_source. The names follow the list
that Google publishes for GA4's default channels, without the sites that no longer exist, with those that came since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

SEARCH, SOCIAL, VIDEO, SHOPPING, ASSISTANT = "search", "social", "video", "shopping", "assistant"


@dataclass(frozen=True, slots=True)
class Site:
	"""One source under all its names; `platform` is where its advertisements are booked, "" if nowhere we know."""

	name: str
	category: str
	domain: str
	platform: str = ""


# One line a site: names (the first is the site's own), a colon, domains (the first is the one to show).
# A domain covers its subdomains; "google.*" is the brand under every country's ending, with search's own prefixes.
_LINES: Mapping[str, str] = {
	SEARCH: """
		google googleads adwords google-play: google.* googleadservices.com
		bing microsoft msn: bing.* msn.* microsoftstart.com
		yahoo: yahoo.* search.yahoo.com
		duckduckgo ddg: duckduckgo.com
		yandex: yandex.* ya.ru
		baidu: baidu.com
		ecosia ecosia.org: ecosia.org
		brave: search.brave.com
		qwant: qwant.com
		startpage: startpage.com
		kagi: kagi.com
		mojeek: mojeek.com
		presearch: presearch.com presearch.org
		swisscows: swisscows.com
		metager: metager.de metager.org
		naver: naver.com
		daum: daum.net
		sogou: sogou.com
		360.cn: so.com 360.cn
		shenma: sm.cn
		seznam: seznam.cz firmy.cz
		rambler: rambler.ru
		mail.ru: go.mail.ru
		rakuten: rakuten.co.jp
		biglobe: biglobe.ne.jp biglobe.co.jp
		auone: auone.jp
		docomo: search.smt.docomo.ne.jp
		onet: onet.pl
		virgilio: virgilio.it
		globo: globo.com
		terra: terra.com.br
		ukr: search.ukr.net secureurl.ukr.net
		startsiden: startsiden.no
		kvasir: kvasir.no
		eniro: eniro.se
		aol: aol.* search.aol.com
		ask: ask.com
		lycos: lycos.com
		dogpile: dogpile.com
		excite: excite.com
		exalead: exalead.com
		alice: alice.it
		najdi: najdi.si
	""",
	SOCIAL: """
		facebook fb meta: facebook.com fb.com fb.me
		instagram ig: instagram.com
		threads: threads.net threads.com
		messenger: messenger.com m.me
		whatsapp: whatsapp.com wa.me
		linkedin: linkedin.com lnkd.in
		x twitter: x.com twitter.com t.co tweetdeck.com
		tiktok: tiktok.com
		snapchat: snapchat.com
		pinterest: pinterest.* pin.it
		reddit: reddit.com redd.it
		quora: quora.com
		bluesky bsky: bsky.app go.bsky.app
		mastodon: mastodon.social mastodon.online
		tumblr: tumblr.com t.umblr.com
		telegram: t.me telegram.org telegram.me
		discord: discord.com discord.gg discordapp.com
		slack: slack.com
		skype: web.skype.com skype.com
		viber: viber.com
		wechat weixin: wechat.com weixin.qq.com
		qzone: qzone.qq.com
		line: line.me
		kakao kakaotalk: kakao.com kakaocorp.com
		zalo: zalo.me
		weibo: weibo.com weibo.cn
		xiaohongshu: xiaohongshu.com
		douban: douban.com
		zhihu: zhihu.com
		vk vkontakte: vk.com vkontakte.ru
		odnoklassniki: ok.ru odnoklassniki.ru
		xing: xing.com
		yammer: yammer.com
		nextdoor: nextdoor.*
		meetup: meetup.com
		medium.com: medium.com
		substack: substack.com
		wordpress: wordpress.com
		blogger blogspot: blogger.com blogspot.com
		livejournal: livejournal.com
		ameblo: ameblo.jp ameba.jp
		hatena: hatena.ne.jp b.hatena.ne.jp
		naver-blog: blog.naver.com cafe.naver.com kin.naver.com
		note.com: note.com
		flipboard: flipboard.com
		pocket: getpocket.com pocket.co
		instapaper: instapaper.com
		digg: digg.com
		slashdot: slashdot.org
		hackernews: news.ycombinator.com
		lobsters: lobste.rs
		producthunt: producthunt.com
		stackoverflow: stackoverflow.com
		stackexchange: stackexchange.com superuser.com serverfault.com askubuntu.com
		researchgate: researchgate.net
		academia: academia.edu
		slideshare: slideshare.net
		scribd: scribd.com
		goodreads: goodreads.com
		tripadvisor: tripadvisor.*
		yelp: yelp.*
		trustpilot: trustpilot.com
		glassdoor: glassdoor.*
		foursquare: foursquare.com
		houzz: houzz.*
		flickr: flickr.com
		deviantart: deviantart.com
		soundcloud: soundcloud.com
		hootsuite: hootsuite.com ow.ly
		linktree: linktr.ee
		taringa: taringa.net
		groups.google.com: groups.google.com sites.google.com
		messages.google.com: messages.google.com
	""",
	VIDEO: """
		youtube yt: youtube.com youtu.be youtube-nocookie.com
		vimeo: vimeo.com
		dailymotion: dailymotion.com dai.ly
		twitch: twitch.tv
		wistia: wistia.com wistia.net
		netflix: netflix.com
		hulu: hulu.com
		disneyplus: disneyplus.com
		crackle: crackle.com
		curiositystream: curiositystream.com
		ted: ted.com
		bilibili: bilibili.com b23.tv
		youku: youku.com
		iqiyi: iqiyi.com iq.com
		niconico: nicovideo.jp
		rumble: rumble.com
		odysee: odysee.com
		utreon: utreon.com
		veoh: veoh.com
	""",
	SHOPPING: """
		amazon: amazon.*
		ebay: ebay.*
		etsy: etsy.com
		walmart: walmart.com
		target.com: target.com
		alibaba: alibaba.com
		aliexpress: aliexpress.*
		temu: temu.com
		shein: shein.com
		mercadolibre mercadolivre: mercadolibre.* mercadolivre.com.br
		google-shopping googleshopping: shopping.google.com
		igshopping: igshopping
		yahoo-shopping: shopping.yahoo.com shopping.yahoo.co.jp
		naver-shopping: shopping.naver.com
		shopify: shopify.com shop.app
		shopee: shopee.*
		lazada: lazada.*
		flipkart: flipkart.com
		taobao: taobao.com
		tmall: tmall.com
		allegro: allegro.pl
		bol.com: bol.com
		cdiscount: cdiscount.com
		idealo: idealo.*
		zalando: zalando.*
		shopzilla: shopzilla.com
		simplycodes: simplycodes.com
	""",
	ASSISTANT: """
		chatgpt openai: chatgpt.com chat.openai.com openai.com
		claude anthropic: claude.ai
		gemini bard: gemini.google.com bard.google.com
		notebooklm: notebooklm.google.com notebooklm.google
		copilot: copilot.microsoft.com copilot.cloud.microsoft m365.cloud.microsoft
		perplexity: perplexity.ai
		grok: grok.com x.ai
		deepseek: chat.deepseek.com deepseek.com
		mistral lechat: chat.mistral.ai mistral.ai
		meta-ai: meta.ai
		you.com: you.com
		poe: poe.com
		phind: phind.com
		qwen: chat.qwen.ai qwen.ai
		kimi: kimi.com kimi.ai
		doubao: doubao.com
		manus: manus.im
	""",
}

# Where advertisements on a site are booked; the names are those of the click ids and of the cost imports.
_PLATFORMS: Mapping[str, str] = {
	"google": "Google Ads",
	"youtube": "Google Ads",
	"google-shopping": "Google Ads",
	"bing": "Microsoft Ads",
	"facebook": "Meta",
	"instagram": "Meta",
	"igshopping": "Meta",
	"threads": "Meta",
	"messenger": "Meta",
	"whatsapp": "Meta",
	"linkedin": "LinkedIn",
	"x": "X",
	"tiktok": "TikTok",
	"snapchat": "Snapchat",
	"pinterest": "Pinterest",
	"reddit": "Reddit",
	"quora": "Quora",
	"amazon": "Amazon Ads",
}

# Apps name themselves by their package in "android-app://" referrers.
_APPS: Mapping[str, str] = {
	"com.google.android.googlequicksearchbox": "www.google.com",
	"com.google.android.gm": "mail.google.com",
	"com.google.android.youtube": "www.youtube.com",
	"com.google.android.apps.bard": "gemini.google.com",
	"com.microsoft.bing": "www.bing.com",
	"com.duckduckgo.mobile.android": "duckduckgo.com",
	"com.facebook.katana": "facebook.com",
	"com.facebook.lite": "facebook.com",
	"com.facebook.orca": "messenger.com",
	"com.instagram.android": "instagram.com",
	"com.instagram.barcelona": "threads.net",
	"com.whatsapp": "whatsapp.com",
	"com.linkedin.android": "linkedin.com",
	"com.twitter.android": "x.com",
	"com.zhiliaoapp.musically": "tiktok.com",
	"com.ss.android.ugc.trill": "tiktok.com",
	"com.snapchat.android": "snapchat.com",
	"com.pinterest": "pinterest.com",
	"com.reddit.frontpage": "reddit.com",
	"org.telegram.messenger": "t.me",
	"com.slack": "slack.com",
	"com.discord": "discord.com",
	"com.vkontakte.android": "vk.com",
	"com.openai.chatgpt": "chatgpt.com",
	"com.anthropic.claude": "claude.ai",
	"ai.perplexity.app.android": "perplexity.ai",
}

# In front of a brand these are the site itself; others are mail, documents, shops for sellers and the like.
_OWN_PREFIXES = frozenset(
	"www m mobile amp search r l lens images news play scholar touch smile cse encrypted".split()
)
_COUNTRY = re.compile(r"[a-z]{2}")
# The endings of countries and the few generic ones, so that "google.shop-of-somebody.example" is nobody's brand.
_ENDING = re.compile(r"(?:(?:com|co|org|net|ne|or|edu|gov)\.)?[a-z]{2}|com|net|org")
_ADVERTISING = re.compile(r"[-_ .]?ads?$")


def _read() -> tuple[dict[str, Site], dict[str, Site], dict[str, Site]]:
	"""Return the sites by name, by domain, and by brand under any ending."""
	names: dict[str, Site] = {}
	domains: dict[str, Site] = {}
	brands: dict[str, Site] = {}
	for category, lines in _LINES.items():
		for line in lines.strip().splitlines():
			words, _colon, hosts = line.partition(":")
			aliases, addresses = words.split(), hosts.split()
			shown = addresses[0].replace(".*", ".com")
			site = Site(aliases[0], category, shown, _PLATFORMS.get(aliases[0], ""))
			names.update(dict.fromkeys(aliases, site))
			for address in addresses:
				brand, wildcard, _rest = address.partition(".*")
				(brands if wildcard else domains)[brand] = site
	return names, domains, brands


_NAMES, _DOMAINS, _BRANDS = _read()
# What marketers call these sites in utm_source.
NAMES = frozenset(_NAMES)


def host_of_app(package: str) -> str:
	"""Return the host that an app stands for; the package itself where it is not known."""
	return _APPS.get(package, package)


@lru_cache(maxsize=8192)
def site_of_host(host: str) -> Site | None:
	"""Return the known site that a host name (lower case, without port) belongs to."""
	labels = host.split(".")
	for index in range(len(labels)):
		site = _DOMAINS.get(".".join(labels[index:])) or _brand(labels, index)
		if site:
			return site
	return None


@lru_cache(maxsize=8192)
def site_of_source(source: str) -> Site | None:
	"""Return the known site that a utm_source names, by its host or by its name, "google_ads" included."""
	text = source.strip().casefold()
	known = _NAMES.get(text) or _NAMES.get(_ADVERTISING.sub("", text))
	return known or (site_of_host(text.removesuffix(".")) if "." in text else None)


def _brand(labels: list[str], index: int) -> Site | None:
	site = _BRANDS.get(labels[index])
	if site is None or not _ENDING.fullmatch(".".join(labels[index + 1 :])):
		return None
	in_front = labels[:index]
	return site if all(label in _OWN_PREFIXES or _COUNTRY.fullmatch(label) for label in in_front) else None
