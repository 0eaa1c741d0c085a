import "@mantine/core/styles.css";
import "./page.css";

import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { startI18n } from "./i18n";
import { liveSocket } from "./stores/live";
import { refreshSession } from "./stores/session";
import { theme } from "./theme";

startI18n();
void refreshSession();
liveSocket.connect();
window.addEventListener("online", () => liveSocket.retry());

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <App />
    </MantineProvider>
  </StrictMode>,
);
