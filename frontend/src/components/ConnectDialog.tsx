import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { connect } from "../api/clusters";
import { failureText } from "../api/failure";
import { ProblemError } from "../api/problem";
import type { Cluster } from "../api/records";
import { type ConnectField, connectErrors } from "../clusters/connectErrors";

type Fields = Record<ConnectField, string>;

/** Asks where a cluster is and how to get in; of a known one only what is not known. */
export function ConnectDialog({ cluster, onClose }: { cluster: Cluster | null; onClose(): void }) {
  const { t, i18n } = useTranslation();
  const [fields, setFields] = useState<Fields>(() => ({
    cluster_address: cluster?.address ?? "",
    name: cluster === null || cluster.name === cluster.address ? "" : cluster.name,
    token: "",
  }));
  const [errors, setErrors] = useState<Partial<Fields>>({});
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setErrors({});
    try {
      await connect(withoutEmpty(fields), i18n.language);
      onClose();
    } catch (failure) {
      setErrors(
        failure instanceof ProblemError
          ? connectErrors(failure.problem)
          : { cluster_address: failureText(failure, t) },
      );
    } finally {
      setIsBusy(false);
    }
  };

  const field = (name: ConnectField) => ({
    label: t(`connect.${name}`),
    description: t(`connect.hint.${name}`),
    value: fields[name],
    error: errors[name],
    "aria-invalid": errors[name] !== undefined,
    autoComplete: "off",
    onChange: (event: { currentTarget: HTMLInputElement }) => {
      const { value } = event.currentTarget;
      setFields((before) => ({ ...before, [name]: value }));
    },
  });

  return (
    <Modal
      opened
      onClose={onClose}
      title={t("connect.title")}
      closeButtonProps={{ "aria-label": t("connect.cancel") }}
    >
      <Stack component="form" onSubmit={submit}>
        <TextInput
          {...field("cluster_address")}
          placeholder="10.0.0.5:8265"
          required
          data-autofocus={cluster === null || undefined}
        />
        <TextInput {...field("name")} />
        <PasswordInput {...field("token")} data-autofocus={cluster !== null || undefined} />
        <Text size="xs" c="dimmed">
          {t("connect.kept")}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("connect.cancel")}
          </Button>
          <Button type="submit" loading={isBusy}>
            {t("clusters.connect")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function withoutEmpty({ cluster_address, name, token }: Fields) {
  return {
    cluster_address: cluster_address.trim(),
    name: name.trim() || null,
    token: token || null,
  };
}
