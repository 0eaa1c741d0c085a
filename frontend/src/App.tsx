import { ConnectionBanner } from "./components/ConnectionBanner";
import { Dialogs } from "./components/Dialogs";
import { Header } from "./components/Header";
import { Toasts } from "./components/Toasts";
import { CastsPage } from "./pages/CastsPage";
import { LoginPage } from "./pages/LoginPage";
import { NodesPage } from "./pages/NodesPage";
import { useLive } from "./stores/live";
import { useView } from "./stores/view";

const PAGES = { nodes: NodesPage, casts: CastsPage };

export function App() {
  const Page = PAGES[useView()];
  const isLocked = useLive(({ connection }) => connection.phase === "locked");
  return (
    <>
      <Header />
      <main className="page-width">
        <ConnectionBanner />
        {isLocked ? <LoginPage /> : <Page />}
      </main>
      {!isLocked && <Dialogs />}
      {!isLocked && <Toasts />}
    </>
  );
}
