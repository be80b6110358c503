import { useEffect, useState, useSyncExternalStore } from "react";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { connectivity } from "@/lib/connectivity";
import { onNetworkChange, onWake } from "@/lib/lifecycle";
import styles from "./gateway-banner.module.css";

/** A connection that is back within this time is not worth mentioning. */
const GRACE_MS = 1_200;

/** Says that the gateway cannot be reached, while it keeps trying. */
export function GatewayBanner() {
  const reachability = useSyncExternalStore(connectivity.subscribe, connectivity.get);
  useEffect(() => onWake(connectivity.tryNow), []);
  useEffect(() => onNetworkChange(connectivity.tryNow), []);
  const isGone = useHasLasted(!reachability.here, GRACE_MS);
  return (
    <div role="status" className={styles.region}>
      {isGone && !reachability.here ? (
        <div className={styles.banner}>
          <Icon name="alert" />
          <p className={styles.text}>
            <strong>We lost the connection to the kitchen.</strong> Your cart and everything you entered are
            safe. We will keep trying.
          </p>
          <Button isBusy={reachability.nextTryAt === null} onClick={() => connectivity.tryNow()}>
            Try now
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function useHasLasted(isSo: boolean, ms: number): boolean {
  const [hasLasted, setHasLasted] = useState(false);
  useEffect(() => {
    if (!isSo) {
      setHasLasted(false);
      return;
    }
    const timer = setTimeout(() => setHasLasted(true), ms);
    return () => clearTimeout(timer);
  }, [isSo, ms]);
  return hasLasted;
}
