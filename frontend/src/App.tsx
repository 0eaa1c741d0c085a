import { Container } from "@mantine/core";
import { ConnectionBanner } from "./components/ConnectionBanner";
import { Header } from "./components/Header";
import { LoginPage } from "./pages/LoginPage";
import { NodesPage } from "./pages/NodesPage";
import { useLive } from "./stores/live";

export function App() {
  const isLocked = useLive(({ connection }) => connection.phase === "locked");
  return (
    <>
      <Header />
      <Container component="main" size={1760} px={{ base: "sm", sm: "lg" }} py="md">
        <ConnectionBanner />
        {isLocked ? <LoginPage /> : <NodesPage />}
      </Container>
    </>
  );
}
