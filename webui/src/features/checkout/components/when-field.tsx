import { formatDayAndClock } from "@/lib/format";
import { useNow } from "@/lib/use-now";
import { MAX_DELAY_MS, toLocalField, type When } from "../draft";
import { Choice } from "./choice";
import { FieldError } from "./field-error";
import styles from "./when-field.module.css";

interface WhenFieldProps {
  value: When;
  error: string | undefined;
  onChange: (when: When) => void;
}

const SOON = [
  { kind: "now", title: "Now", detail: "as soon as it is cooked" },
  { kind: "in5", title: "In 5 seconds", detail: "for the very patient" },
  { kind: "in15", title: "In 15 seconds", detail: "time to change your mind" },
] as const;

const HALF_AN_HOUR_MS = 30 * 60_000;

/** When the kitchen should start. */
export function WhenField({ value, error, onChange }: WhenFieldProps) {
  const now = useNow(value.kind === "at");
  const time = value.kind === "at" ? new Date(value.time).getTime() : Number.NaN;
  return (
    <div className={styles.when}>
      <fieldset className={styles.list}>
        <legend className="visually-hidden">When should the kitchen begin?</legend>
        {SOON.map(({ kind, title, detail }) => (
          <Choice
            key={kind}
            name="when"
            title={title}
            detail={detail}
            isChosen={value.kind === kind}
            onChoose={() => onChange({ kind })}
          />
        ))}
        <Choice
          name="when"
          title="At a set time"
          detail={Number.isNaN(time) ? "up to 30 days ahead" : formatDayAndClock(time, now)}
          isChosen={value.kind === "at"}
          onChoose={() => onChange({ kind: "at", time: toLocalField(now + HALF_AN_HOUR_MS) })}
        />
      </fieldset>
      {value.kind === "at" ? (
        <label className={styles.field}>
          <span className={styles.label}>The kitchen begins at</span>
          <input
            type="datetime-local"
            className={styles.input}
            name="time"
            value={value.time}
            min={toLocalField(now)}
            max={toLocalField(now + MAX_DELAY_MS)}
            onChange={(event) => onChange({ kind: "at", time: event.target.value })}
            aria-invalid={error !== undefined || undefined}
            aria-describedby={error ? "when-error" : undefined}
          />
        </label>
      ) : null}
      <FieldError id="when-error" error={error} />
    </div>
  );
}
