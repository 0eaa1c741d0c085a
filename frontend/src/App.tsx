import { ConnectionBanner } from "./components/ConnectionBanner";
import { Header } from "./components/Header";
import { Toasts } from "./components/Toasts";
import { LoginPage } from "./pages/LoginPage";
import { NodesPage } from "./pages/NodesPage";
import { useLive } from "./stores/live";

export function App() {
  const isLocked = useLive(({ connection }) => connection.phase === "locked");
  return (
    <>
      <Header />
      <main className="page-width">
        <ConnectionBanner />
        {isLocked ? <LoginPage /> : <NodesPage />}
      </main>
      {!isLocked && <Toasts />}
    </>
  );
}
