import { createTheme, Modal } from "@mantine/core";

const CJK = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC"';

/** Quiet colours, no shadows, dialogs without motion: the lamps are what should catch the eye. */
export const theme = createTheme({
  primaryColor: "dark",
  primaryShade: { light: 6, dark: 3 },
  autoContrast: true,
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily: `-apple-system, "Segoe UI", Roboto, Ubuntu, "Noto Sans", "Liberation Sans", ${CJK}, sans-serif`,
  fontFamilyMonospace: `ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", ${CJK}, monospace`,
  components: {
    Modal: Modal.extend({ defaultProps: { transitionProps: { duration: 0 } } }),
  },
});
