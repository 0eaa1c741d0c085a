import { Button, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { logIn } from "../api/session";
import { liveSocket } from "../stores/live";
import { refreshSession } from "../stores/session";

/** Asks for the token when the session ended while the page was open. */
export function LoginPage() {
  const { t } = useTranslation();
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      if (await logIn(token)) {
        await refreshSession();
        liveSocket.connect();
      } else {
        setError(t("login.wrong"));
      }
    } catch (failure) {
      setError(t("noAnswer", { error: String(failure) }));
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <Paper component="form" onSubmit={submit} withBorder p="xl" maw={420} mx="auto" mt="xl">
      <Stack>
        <Title order={2} size="h3">
          {t("login.title")}
        </Title>
        <Text size="sm" c="dimmed">
          {t("login.hint")}
        </Text>
        <PasswordInput
          label={t("login.token")}
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={error}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <Button type="submit" loading={isBusy}>
          {t("login.submit")}
        </Button>
      </Stack>
    </Paper>
  );
}
