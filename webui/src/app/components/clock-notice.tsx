import { useEffect, useState } from "react";
import { Notice } from "@/components/ui/notice";
import { formatDuration } from "@/lib/format";
import { serverClock } from "@/lib/server-clock";
import styles from "./clock-notice.module.css";

/** Smaller differences are ignored. */
const TOLERANCE_MS = 120_000;
const LOOK_EVERY_MS = 5_000;

/** Says that the device's clock is wrong, and that the times on the page are not affected. */
export function ClockNotice() {
  const [ahead, setAhead] = useState(0);
  useEffect(() => {
    const look = () => {
      const now = serverClock.deviceAhead() ?? 0;
      setAhead(Math.abs(now) > TOLERANCE_MS ? now : 0);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (ahead === 0) return null;
  return (
    <div className={styles.notice}>
      <Notice tone="warning" icon="clock">
        <p>
          The clock of this device is {formatDuration(Math.abs(ahead))} {ahead > 0 ? "fast" : "slow"}. The
          times here are still right: they follow the kitchen's clock.
        </p>
      </Notice>
    </div>
  );
}
