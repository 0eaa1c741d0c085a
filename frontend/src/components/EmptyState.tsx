import { Center, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  hint?: string;
  icon?: ReactNode;
  children?: ReactNode;
}

/** What stands where there is nothing to show. */
export function EmptyState({ title, hint, icon, children }: Props) {
  return (
    <Center mih="40vh">
      <Stack align="center" gap="sm" maw={560} ta="center">
        {icon}
        <Text fw={600}>{title}</Text>
        {hint !== undefined && <Text c="dimmed">{hint}</Text>}
        {children}
      </Stack>
    </Center>
  );
}
