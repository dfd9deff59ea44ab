/*
 * The shop's own script: the stub that takes calls before TrackFlow's script is there, a consent banner, and a list.
 * In a file, not inline, because the shop's CSP is strict.
 */
window.trackflow =
	window.trackflow ||
	function () {
		(window.trackflow.q = window.trackflow.q || []).push(arguments);
	};

(() => {
	const banner = document.getElementById("consent");
	const settings = document.getElementById("cookie-settings");

	// Rejected or accepted, the script remembers the answer in this cookie.
	banner.hidden = /(^|; )trackflow_consent=/.test(document.cookie);

	banner.addEventListener("click", ({ target }) => {
		if (!target.dataset.consent) return;
		window.trackflow("consent", target.dataset.consent);
		banner.hidden = true;
		settings.focus();
	});

	settings.addEventListener("click", () => {
		banner.hidden = false;
		document.getElementById("consent-title").focus();
	});

	document.querySelectorAll("[data-track]").forEach((button) =>
		button.addEventListener("click", () => {
			window.trackflow("track", button.dataset.track, { product: button.dataset.product });
			button.setAttribute("aria-pressed", "true");
			button.textContent = "On my list";
		}),
	);
})();
