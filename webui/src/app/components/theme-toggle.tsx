import { IconButton } from "@/components/ui/button";
import type { IconName } from "@/components/ui/icon";
import { setTheme, type Theme, useTheme } from "@/lib/theme";

const NEXT: Record<Theme, { theme: Theme; icon: IconName; label: string }> = {
  system: { theme: "light", icon: "device", label: "Colours follow the device. Switch to light" },
  light: { theme: "dark", icon: "sun", label: "Light colours. Switch to dark" },
  dark: { theme: "system", icon: "moon", label: "Dark colours. Follow the device" },
};

/** Cycles through the device's theme, light and dark. */
export function ThemeToggle() {
  const { theme, icon, label } = NEXT[useTheme()];
  return <IconButton icon={icon} label={label} onClick={() => setTheme(theme)} />;
}
