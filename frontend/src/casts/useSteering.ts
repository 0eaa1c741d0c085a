import { useState } from "react";
import { useTranslation } from "react-i18next";
import { steerCast } from "../api/casts";
import { failureText } from "../api/failure";
import type { CastAction } from "../api/records";

/** Cancels, pauses, resumes and retries one cast; how it is then, the server tells by itself. */
export function useSteering(castId: string) {
  const { t, i18n } = useTranslation();
  const [busy, setBusy] = useState<CastAction | null>(null);
  const [error, setError] = useState<string | null>(null);

  const steer = async (action: CastAction): Promise<boolean> => {
    setBusy(action);
    setError(null);
    try {
      await steerCast(castId, action, i18n.language);
      return true;
    } catch (failure) {
      setError(failureText(failure, t));
      return false;
    } finally {
      setBusy(null);
    }
  };

  return { steer, busy, error };
}
