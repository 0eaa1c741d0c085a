import { Button, Group, Modal, Stack, Text } from "@mantine/core";

interface Props {
  title: string;
  /** What comes of it. */
  what: string;
  /** What the button says that leaves everything as it is; it has the focus. */
  keep: string;
  /** What the button says that does it. */
  submit: string;
  isBusy: boolean;
  /** Why it could not be done. */
  error: string | null;
  onSubmit(): void;
  onClose(): void;
}

/** Asks whether something is really to be ended. */
export function ConfirmDialog({ title, what, keep, submit, isBusy, error, ...on }: Props) {
  return (
    <Modal opened onClose={on.onClose} title={title} closeButtonProps={{ "aria-label": keep }}>
      <Stack>
        <Text size="sm">{what}</Text>
        {error !== null && (
          <Text size="sm" c="red" role="alert">
            {error}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={on.onClose} data-autofocus>
            {keep}
          </Button>
          <Button color="red" loading={isBusy} onClick={on.onSubmit}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
