"""How columns of exports are called, by platform and field, in English, German, French, Spanish, Italian, Portuguese and
Dutch. Plain data. Pure.

Where a field has several columns, the first spelling that a file has is read: clicks that lead to the website before all
clicks. Case, accents and a currency in brackets make no difference.

The spellings are those that people's exports show, as far as they are public, and the names of the platforms' own
interfaces; what a platform calls differently tomorrow, a saved mapping reads.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

IDS = ("campaign_id", "adset_id", "ad_id")
NAMES = ("campaign", "adset", "ad")
FIGURES = ("impressions", "clicks", "spend")
FIELDS = ("day", "start", "end", "platform", *IDS, *NAMES, *FIGURES, "currency")
LABELS = {
	"day": "Day",
	"start": "Start of the range",
	"end": "End of the range",
	"platform": "Platform",
	"campaign_id": "Campaign ID",
	"adset_id": "Ad Set ID",
	"ad_id": "Ad ID",
	"campaign": "Campaign Name",
	"adset": "Ad Set Name",
	"ad": "Ad Name",
	"impressions": "Impressions",
	"clicks": "Clicks",
	"spend": "Spend",
	"currency": "Currency",
}

Spellings = Mapping[str, str]

_DAY = "Day | Date | Tag | Datum | Jour | Día | Fecha | Giorno | Data | Dia | Dag"
_CURRENCY = (
	"Currency code | Currency | CurrencyCode | Account currency | Währungscode | Währung | Code de la devise | Code de devise | "
	"Code devise | Devise | Código de moneda | Código de la moneda | Código de divisa | Moneda | Divisa | Codice valuta | Codice della "
	"valuta | Valuta | Código da moeda | Código de moeda | Moeda | Valutacode"
)
_IMPRESSIONS = "Impr. | Impressions | Impression | Impressionen | Impresiones | Impressioni | Impressões | Visualizações | Vertoningen | Weergaven"
_CLICKS = "Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliks"
_AD_ID = (
	"Ad ID | AdId | Anzeigen-ID | ID der Anzeige | ID de l'annonce | ID de la publicité | ID del anuncio | Identificador del "
	"anuncio | ID annuncio | ID inserzione | ID dell'inserzione | Código do anúncio | ID do anúncio | Identificação do anúncio | "
	"Advertentie-ID | ID advertentie"
)
_CAMPAIGN_ID = (
	"Campaign ID | CampaignId | Kampagnen-ID | ID der Kampagne | ID de campagne | ID de la campagne | Numéro de campagne | ID de campaña | ID "
	"de la campaña | Identificador de la campaña | ID campagna | ID della campagna | Código da campanha | ID da campanha | Identificação da "
	"campanha | Campagne-ID | ID campagne"
)

GOOGLE: Spellings = {
	"day": _DAY,
	"campaign_id": _CAMPAIGN_ID,
	"campaign": "Campaign | Campaign name | Kampagne | Campagne | Campaña | Campagna | Campanha",
	"adset_id": "Ad group ID | Anzeigengruppen-ID | ID du groupe d'annonces | ID del grupo de anuncios | ID gruppo di annunci | ID del gruppo "
	"di annunci | Código do grupo de anúncios | ID do grupo de anúncios | Advertentiegroep-ID",
	"adset": "Ad group | Anzeigengruppe | Groupe d'annonces | Grupo de anuncios | Gruppo di annunci | Grupo de anúncios | "
	"Advertentiegroep",
	"ad_id": _AD_ID,
	"ad": "Ad name | Anzeigenname | Nom de l'annonce | Nombre del anuncio | Nome annuncio | Nome do anúncio | Advertentienaam",
	"spend": "Cost | Kosten | Coût | Coste | Costo | Custo",
	"impressions": _IMPRESSIONS,
	"clicks": _CLICKS,
	"currency": _CURRENCY,
}
META: Spellings = {
	"day": _DAY,
	"start": "Reporting starts | Berichtsstart | Berichtsbeginn | Début des rapports | Inicio del informe | Inizio dei report | Inizio "
	"report | Inizio del report | Início dos relatórios | Start rapportage | Begin rapportage",
	"end": "Reporting ends | Berichtsende | Fin des rapports | Fin del informe | Fine dei report | Fine report | Fine del report | Término dos "
	"relatórios | Encerramento dos relatórios | Einde rapportage",
	"campaign_id": _CAMPAIGN_ID,
	"campaign": "Campaign name | Kampagnenname | Name der Kampagne | Nom de la campagne | Nombre de la campaña | Nome della campagna | Nome "
	f"campagna | Nome da campanha | Campagnenaam | Naam campagne | {GOOGLE['campaign']}",
	"adset_id": "Ad set ID | Anzeigengruppen-ID | ID der Anzeigengruppe | ID de l'ensemble de publicités | ID del conjunto de anuncios | "
	"Identificador del conjunto de anuncios | ID gruppo di inserzioni | ID del gruppo di inserzioni | ID do conjunto de anúncios | "
	"Identificação do conjunto de anúncios | Advertentieset-ID | ID advertentieset",
	"adset": "Ad set name | Name der Anzeigengruppe | Anzeigengruppenname | Nom de l'ensemble de publicités | Nombre del conjunto de "
	"anuncios | Nome del gruppo di inserzioni | Nome gruppo di inserzioni | Nome do conjunto de anúncios | Naam advertentieset | "
	"Advertentiesetnaam",
	"ad_id": _AD_ID,
	"ad": "Ad name | Anzeigenname | Name der Anzeige | Nom de la publicité | Nombre del anuncio | Nome dell'inserzione | Nome inserzione | Nome "
	"do anúncio | Naam advertentie | Advertentienaam",
	"spend": "Amount spent | Ausgegebener Betrag | Montant dépensé | Importe gastado | Importo speso | Valor usado | Valor gasto | Montante "
	"gasto | Besteed bedrag",
	"impressions": _IMPRESSIONS,
	"clicks": "Link clicks | Link-Klicks | Linkklicks | Clics sur un lien | Clics sur le lien | Clics en el enlace | Clic sul link | Cliques no "
	"link | Cliques na ligação | Klikken op links | Klikken op link | Linkkliks | Linkklikken | Clicks (all) | Klicks (alle) | Clics (tous) | "
	"Clics (todos) | Clic (tutti) | Cliques (todos) | Cliques (tudo) | Klikken (alle) | Clicks",
	"currency": _CURRENCY,
}
LINKEDIN: Spellings = {
	"day": "Date (in UTC) | Day",
	"start": "Start Date (in UTC) | Start Date | Startdatum (in UTC) | Startdatum | Date de début (en UTC) | Date de début (UTC) | Date de début "
	"| Fecha de inicio (en UTC) | Fecha de inicio (UTC) | Fecha de inicio | Data di inizio (in UTC) | Data di inizio (UTC) | Data di inizio | Data "
	"de início (em UTC) | Data de início (UTC) | Data de início | Begindatum (in UTC) | Begindatum",
	"end": "End Date (in UTC) | End Date | Enddatum (in UTC) | Enddatum | Date de fin (en UTC) | Date de fin (UTC) | Date de fin | Fecha de "
	"finalización (en UTC) | Fecha de finalización | Data di fine (in UTC) | Data di fine | Data de término (em UTC) | Data de término | "
	"Einddatum (in UTC) | Einddatum",
	"campaign_id": _CAMPAIGN_ID,
	"campaign": META["campaign"],
	"adset_id": "Ad Set ID | Ad Group ID | Anzeigengruppen-ID | ID del conjunto de anuncios | ID do conjunto de anúncios | Advertentieset-ID",
	"adset": f"Ad Set Name | Ad Group Name | {META['adset']}",
	"ad_id": f"{_AD_ID} | Creative ID | Creative-ID",
	"ad": f"{META['ad']} | Creative Name | Name des Creatives",
	"spend": "Total Spent | Gesamtausgaben | Total dépensé | Dépense totale | Dépenses totales | Total gastado | Gasto total | Totale speso | "
	"Spesa totale | Total gasto | Total investido | Totaal besteed | Totale uitgaven",
	"impressions": _IMPRESSIONS,
	"clicks": _CLICKS,
	"currency": _CURRENCY,
}
TIKTOK: Spellings = {
	"day": f"By Day | Stat time day | Nach Tag | Par jour | Por día | Per giorno | Por dia | Per dag | {_DAY}",
	"campaign_id": _CAMPAIGN_ID,
	"campaign": META["campaign"],
	"adset_id": f"{GOOGLE['adset_id']} | {META['adset_id']}",
	"adset": "Ad group name | Name der Anzeigengruppe | Anzeigengruppenname | Nom du groupe d'annonces | Nom du groupe de publicités | Nombre del "
	"grupo de anuncios | Nome del gruppo di annunci | Nome gruppo di annunci | Nome do grupo de anúncios | Naam advertentiegroep | "
	"Advertentiegroepnaam",
	"ad_id": _AD_ID,
	"ad": f"{META['ad']} | Nom de l'annonce | Nome dell'annuncio",
	"spend": f"{GOOGLE['spend']} | Spend",
	"impressions": _IMPRESSIONS,
	"clicks": "Clicks (destination) | Klicks (Ziel) | Klicks (Zielseite) | Clics (destination) | Clics (destino) | Clic (destinazione) | Cliques "
	f"(destino) | Klikken (bestemming) | {_CLICKS} | Clicks (all) | Klicks (alle) | Clics (tous) | Clics (todos) | Clic (tutti) | Cliques (todos) | "
	"Klikken (alle)",
	"currency": _CURRENCY,
}
MICROSOFT: Spellings = {
	"day": f"Gregorian date | TimePeriod | Time period | {_DAY}",
	"campaign_id": _CAMPAIGN_ID,
	"campaign": f"CampaignName | {GOOGLE['campaign']}",
	"adset_id": f"AdGroupId | {GOOGLE['adset_id']}",
	"adset": f"AdGroupName | {GOOGLE['adset']}",
	"ad_id": _AD_ID,
	"ad": "Ad title | AdTitle | Ad name",
	"spend": "Spend | Ausgaben | Dépenses | Dépense | Gasto | Gastos | Inversión | Spesa | Gastos | Uitgaven",
	"impressions": _IMPRESSIONS,
	"clicks": _CLICKS,
	"currency": _CURRENCY,
}
GENERIC: Spellings = {
	"day": f"{_DAY} | Stat date | Report date",
	"start": "Start | From | From date | Start date",
	"end": "End | To | To date | Until | End date",
	"platform": "Platform | Network | Channel | Plattform | Plateforme | Plataforma | Piattaforma",
	"campaign_id": f"{_CAMPAIGN_ID} | External campaign ID | Campaign ID on the platform | campaign_id",
	"campaign": f"{META['campaign']} | {GOOGLE['campaign']} | campaign_name | utm_campaign",
	"adset_id": f"{META['adset_id']} | {GOOGLE['adset_id']} | External adset ID | Ad Set ID on the platform | adset_id | adgroup_id | ad_group_id",
	"adset": f"{META['adset']} | Ad set | Adset | Adset name | {GOOGLE['adset']} | adset_name | ad_group",
	"ad_id": f"{_AD_ID} | External ad ID | Ad ID on the platform | ad_id",
	"ad": f"{META['ad']} | Ad | ad_name",
	"spend": f"Spend | Cost | Costs | Amount | Ad spend | {META['spend']} | {LINKEDIN['spend']} | {GOOGLE['spend']} | {MICROSOFT['spend']}",
	"impressions": f"{_IMPRESSIONS} | Views",
	"clicks": f"{META['clicks']} | {_CLICKS}",
	"currency": _CURRENCY,
}
# Breakdowns of time that are too coarse.
COARSE = (
	"Week | Month | Quarter | Year | By Week | By Month | Woche | Monat | Quartal | Jahr | Semaine | Mois | Trimestre | Année | Semana | Mes | "
	"Año | Settimana | Mese | Anno | Mês | Ano | Maand | Kwartaal | Jaar"
)

_CURRENCY_BEHIND = re.compile(r"\s*[(\[]\s*([A-Z]{3})\s*[)\]]$")


def plain(header: str) -> str:
	"""A header as it is looked up: without case, accents, kinds of apostrophes and blanks, underscores for blanks."""
	text = unicodedata.normalize("NFKD", re.sub(r"[’‘`´]", "'", header).casefold())
	text = "".join(letter for letter in text if not unicodedata.combining(letter))
	return " ".join(text.replace("_", " ").split())


def without_currency(header: str) -> tuple[str, str]:
	"""`Amount spent (EUR)` is `Amount spent`, in EUR."""
	found = _CURRENCY_BEHIND.search(header)
	return (header[: found.start()], found[1]) if found else (header, "")


def spellings(texts: str) -> tuple[str, ...]:
	return tuple(dict.fromkeys(plain(text) for text in texts.split("|")))
