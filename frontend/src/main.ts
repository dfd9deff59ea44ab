import "./index.css";
import { createApp } from "vue";
import App from "./App.vue";
import { loadMessages } from "./locale";
import { router } from "./router";
import { startTheme } from "./data/theme";

startTheme();
// Words first: what is on the screen never changes its language under the reader's eyes.
await loadMessages();
createApp(App).use(router).mount("#app");
